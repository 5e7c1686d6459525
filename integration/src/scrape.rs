//! What a program answers at `/metrics`, read.

use std::collections::{BTreeMap, BTreeSet};

use crate::http;

/// What a program measures, by name.
#[derive(Clone, Debug, Default)]
pub struct Scrape(pub BTreeMap<String, Metric>);

/// A metric, with its values.
#[derive(Clone, Debug, Default)]
pub struct Metric {
    /// What it says that it is.
    pub help: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    samples: Vec<Sample>,
}

/// A value, under a name that may be longer than the metric's.
#[derive(Clone, Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Scrape {
    /// Asks the program on this loopback port; `None` if it does not answer.
    ///
    /// # Panics
    ///
    /// When the answer is not as Prometheus reads it.
    pub fn of(port: u16) -> Option<Self> {
        let (status, text) = http::get(port, "/metrics")?;
        assert_eq!(status, 200, "{text}");
        Some(Self::read(&text))
    }

    fn read(text: &str) -> Self {
        let mut scrape = Self::default();
        let mut current = String::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap_or_else(|| panic!("{line}"));
                scrape.0.entry(name.to_owned()).or_default().help = help.to_owned();
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap_or_else(|| panic!("{line}"));
                scrape.0.entry(name.to_owned()).or_default().kind = kind.to_owned();
                name.clone_into(&mut current);
            } else {
                let sample = Sample::read(line).unwrap_or_else(|| panic!("no sample: {line}"));
                assert!(sample.name.starts_with(&current), "{line} follows # TYPE {current}");
                let metric = scrape.0.get_mut(&current).unwrap_or_else(|| panic!("{line}"));
                metric.samples.push(sample);
            }
        }
        scrape
    }

    /// The sum of what a metric says where it has these labels: `muster_…` of a counter or a gauge,
    /// or `muster_…_count` of a histogram. Zero where it says nothing.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &&Sample| {
            let is_so =
                |(key, value): &(&str, &str)| sample.labels.get(*key).map(|v| &**v) == Some(value);
            sample.name == name && labels.iter().all(is_so)
        };
        let samples = self.0.values().flat_map(|metric| &metric.samples);
        samples.filter(has).map(|sample| sample.value).sum()
    }

    /// What both measure.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (name, metric) in other.0 {
            self.0.entry(name).or_default().add(metric);
        }
        self
    }
}

impl Metric {
    /// The labels that its values have, but for the bounds of a histogram's buckets.
    pub fn labels(&self) -> BTreeSet<&str> {
        let keys = self.samples.iter().flat_map(|sample| sample.labels.keys());
        keys.map(String::as_str).filter(|key| *key != "le").collect()
    }

    fn add(&mut self, other: Self) {
        self.help = other.help;
        self.kind = other.kind;
        self.samples.extend(other.samples);
    }
}

impl Sample {
    /// Reads `name 1` or `name{key="value",key="value"} 1`.
    fn read(line: &str) -> Option<Self> {
        let (series, value) = line.rsplit_once(' ')?;
        let value = value.parse().ok()?;
        let Some((name, labels)) = series.split_once('{') else {
            return Some(Self { name: series.to_owned(), labels: BTreeMap::new(), value });
        };
        let mut pairs = BTreeMap::new();
        for label in labels.strip_suffix('}')?.split(',') {
            let (key, value) = label.split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            pairs.insert(key.to_owned(), value.to_owned());
        }
        Some(Self { name: name.to_owned(), labels: pairs, value })
    }
}
