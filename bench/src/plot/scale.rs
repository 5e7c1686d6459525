//! A logarithmic axis.

use crate::number::whole;

/// Which values lie where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    /// Where `from` lies in the picture.
    start: f64,
    /// Where `to` does.
    end: f64,
}

impl Scale {
    /// From the power of ten below the least of the values to the one above the greatest, drawn
    /// from `start` to `end`. Values that are not above 0 lie nowhere.
    pub(super) fn around(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Option<Self> {
        let logs = values.filter(|value| *value > 0.0 && value.is_finite()).map(f64::log10);
        let (least, greatest) =
            logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), log| (a.min(log), b.max(log)));
        let (from, to) = (least.floor(), greatest.ceil());
        (least <= greatest).then_some(Self { from, to: to.max(from + 1.0), start, end })
    }

    /// Where a value lies.
    pub(super) fn place(&self, value: f64) -> f64 {
        let Self { from, to, start, end } = self;
        let part = ((value.max(f64::MIN_POSITIVE).log10() - from) / (to - from)).clamp(0.0, 1.0);
        start + part * (end - start)
    }

    /// The powers of ten, with where they lie.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, f64)> {
        let powers = whole(self.to - self.from);
        (0..=powers).map(|power| {
            let value = 10_f64.powf(self.from + f64::from(power));
            (value, self.place(value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_goes_from_a_power_of_ten_to_another() {
        let scale = Scale::around([85.0, 412_000.0, 0.0].into_iter(), 100.0, 600.0).unwrap();
        let ticks: Vec<(f64, f64)> =
            scale.ticks().map(|(value, place)| (value.round(), place.round())).collect();
        let expected =
            [(1e1, 100.0), (1e2, 200.0), (1e3, 300.0), (1e4, 400.0), (1e5, 500.0), (1e6, 600.0)];
        assert_eq!(ticks, expected);
        assert_eq!(scale.place(1e4).round(), 400.0);
        assert_eq!(scale.place(0.0), 100.0);
        assert!(Scale::around([0.0].into_iter(), 0.0, 1.0).is_none());
        let one = Scale::around([10.0].into_iter(), 0.0, 1.0).unwrap();
        assert_eq!(one.ticks().count(), 2);
    }
}
