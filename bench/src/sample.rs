//! What was measured several times.

use serde_json::{Value, json};

/// Values of one kind, in the order measured.
#[derive(Clone, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    /// One more.
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Those of another one too.
    pub(crate) fn extend(&mut self, other: &Sample) {
        self.0.extend(&other.0);
    }

    /// The value in the middle; not a number when there is none.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Half of what lies between the quartiles, as a part of the median.
    pub(crate) fn spread(&self) -> f64 {
        (self.quantile(0.75) - self.quantile(0.25)) / 2.0 / self.median()
    }

    /// The largest.
    pub(crate) fn largest(&self) -> f64 {
        self.quantile(1.0)
    }

    /// The value below which that part of all lies.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        let position = (part * last as f64).round() as usize;
        sorted.get(position).copied().unwrap_or(f64::NAN)
    }

    /// Median, spread, quantiles, and every value.
    pub(crate) fn json(&self) -> Value {
        json!({
            "median": self.median(),
            "spread": self.spread(),
            "p95": self.quantile(0.95),
            "p99": self.quantile(0.99),
            "values": self.0,
        })
    }
}

impl From<f64> for Sample {
    fn from(value: f64) -> Self {
        Sample(vec![value])
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Sample(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn quantiles() {
        let sample: Sample = [5.0, 1.0, 3.0, 2.0, 4.0].into_iter().collect();
        assert_eq!(sample.median(), 3.0);
        assert_eq!(sample.quantile(0.0), 1.0);
        assert_eq!(sample.largest(), 5.0);
        assert_eq!(sample.spread(), 1.0 / 3.0);
        assert!(Sample::default().median().is_nan());
    }
}
