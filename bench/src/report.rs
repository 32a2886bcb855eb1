//! The figures of a drill.

use std::fmt;
use std::time::Duration;

use bench::process::Memory;
use bench::store::Attempts;
use gis_sim::control::StateReport;

/// What is printed.
pub(crate) struct Report {
    pub(crate) requests: u32,
    /// When each was reached, from the beginning.
    pub(crate) steps: [(&'static str, Duration); 3],
    pub(crate) gis: StateReport,
    pub(crate) attempts: Attempts,
    pub(crate) memory: Option<Memory>,
    pub(crate) processor: Option<f64>,
    pub(crate) rejected: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: String| writeln!(f, "{name:<28}{value:>14}");
        line("debt requests", self.requests.to_string())?;
        line("rejected (poisoned)", self.rejected.to_string())?;
        for (name, time) in self.steps {
            line(&format!("{name}, s"), format!("{:.1}", time.as_secs_f64()))?;
        }
        line("calls of GIS", self.gis.calls.to_string())?;
        line("bytes sent to GIS", self.gis.traffic.received.to_string())?;
        line("bytes received from GIS", self.gis.traffic.sent.to_string())?;
        line("packages", self.attempts.packages.to_string())?;
        line("answers sent again", self.attempts.repeats.to_string())?;
        if let Some(memory) = self.memory {
            line("peak memory, MB", format!("{:.0}", memory.peak))?;
        }
        if let Some(processor) = self.processor {
            line("processor time, s", format!("{processor:.1}"))?;
        }
        Ok(())
    }
}
