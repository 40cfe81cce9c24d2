//! What came in during a run, as it came: the evidence. Results are a pure function of it and the frozen plan.

use crate::meter::Answer;
use crate::meter::output::Switched;
use crate::meter::transaction::Transacted;
use crate::plan::Load;
use crate::pulse::{Edge, Input};
use crate::reference::Sample;
use crate::source::Opinion;
use crate::time::{Instant, Span, Stamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A device of the bench, for naming who failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The phantom load.
    Source,
    /// The reference standard.
    Reference,
    /// The counter of the meter's energy pulses.
    Pulse,
    /// The counter of the meter's seconds pulses.
    SecondsPulse,
    /// The meter's data output.
    Meter,
    /// A contact that guards the load.
    Interlock,
    /// The line to the hardware watchdog.
    Heartbeat,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Reference => "reference",
            Self::Pulse => "pulse counter",
            Self::SecondsPulse => "seconds-pulse counter",
            Self::Meter => "meter's data output",
            Self::Interlock => "interlock",
            Self::Heartbeat => "heartbeat",
        })
    }
}

/// Something that happened. A run keeps edges by the hundred thousand and little of all else: what is larger than an edge is
/// boxed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The moment came that the engine had asked for.
    Timeout,
    /// A sample of the reference.
    Sample(Box<Sample>),
    /// An edge.
    Edge(Edge),
    /// A counter says that it lost edges.
    Lost {
        /// On which input.
        input: Input,
        /// Its words.
        what: String,
    },
    /// The source took over a load.
    SourceSet(Load),
    /// The source says that it is off.
    SourceOff,
    /// Another error calculator on the bench said what it thinks of the meter.
    Opinion(Box<Opinion>),
    /// It was asked and said nothing of use.
    NoOpinion {
        /// Why, in words.
        why: String,
    },
    /// The meter answered a query, with a value or with nothing.
    Answer(Box<Answer>),
    /// A meter that signs did what it was told about its transaction, or did not.
    Transacted(Box<Transacted>),
    /// The meter was told to give its seconds pulse, and did or did not.
    Switched(Box<Switched>),
    /// A device does not work.
    Fault {
        /// Which.
        device: Device,
        /// In words.
        what: String,
    },
    /// A person or the system ends the run.
    Abort {
        /// Why.
        why: String,
    },
    /// The program or the power ended in the middle of the run, and it was taken up again, or closed.
    Interrupted(Box<Interruption>),
}

impl Event {
    /// The same so much later: what a later process tells, on the time of the run. The clock of each process begins anew.
    #[must_use]
    pub fn later(self, by: Span) -> Self {
        match self {
            Self::Sample(sample) => Self::Sample(Sample { taken: sample.taken + by, ..*sample }.into()),
            Self::Edge(edge) => Self::Edge(Edge { at: edge.at + by, ..edge }),
            Self::Answer(answer) => {
                let (asked, taken) = (answer.asked + by, answer.taken + by);
                Self::Answer(Answer { asked, taken, ..*answer }.into())
            }
            Self::Transacted(told) => {
                let (asked, taken) = (told.asked + by, told.taken + by);
                Self::Transacted(Transacted { asked, taken, ..*told }.into())
            }
            Self::Switched(told) => {
                let (asked, done) = (told.asked + by, told.done + by);
                Self::Switched(Switched { asked, done, ..*told }.into())
            }
            // These have no moment of their own.
            Self::Timeout
            | Self::Lost { .. }
            | Self::SourceSet(_)
            | Self::SourceOff
            | Self::Opinion(_)
            | Self::NoOpinion { .. }
            | Self::Fault { .. }
            | Self::Abort { .. }
            | Self::Interrupted(_) => self,
        }
    }
}

/// How a run was interrupted, as far as is known afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruption {
    /// When the last event before it was put on the disk, by the clock of then.
    pub last: Stamp,
    /// When the run was taken up again or closed, by the clock of now.
    pub again: Stamp,
    /// Why it was interrupted, as far as is known.
    pub why: String,
    /// Why it does not go on; none where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
}

/// An event and when the engine was told: `[ns, event]` in the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logged(pub Instant, pub Event);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logged_edge_takes_little_room() {
        assert!(size_of::<Logged>() <= 48, "{}", size_of::<Logged>());
    }
}
