//! Several measurements of one thing.

/// Their median, and how far apart they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// How many they are.
    pub(crate) count: usize,
}

impl Spread {
    /// `None` of nothing. Of an even number, the median is the mean of the two in the middle.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let count = values.len();
        let median = f64::midpoint(values[(count - 1) / 2], values[count / 2]);
        Some(Self { median, min, max, count })
    }

    /// The same in another unit.
    pub(crate) fn times(self, factor: f64) -> Self {
        let Self { median, min, max, count } = self;
        Self { median: median * factor, min: min * factor, max: max * factor, count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Spread::of([]), None);
        let odd = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!(odd, Spread { median: 2.0, min: 1.0, max: 3.0, count: 3 });
        let even = Spread::of([4.0, 1.0, 2.0, 9.0]).unwrap();
        assert_eq!(even.times(2.0), Spread { median: 6.0, min: 2.0, max: 18.0, count: 4 });
    }
}
