//! From arguments to a plan's inputs: files read, names resolved, each with its message when it cannot be.

use super::{Stop, Task};
use phantomload::archive::{self, Photograph};
use phantomload::bench::{Description, description};
use phantomload::calibration::Standards;
use phantomload::plan::seal::History;
use phantomload::plan::{self, Capability, Entries, Nameplate, Plan};
use phantomload::regulation::{Kind, Profile};
use phantomload::sim::{Rig, demo_meter};
use phantomload::time::Stamp;
use rust_decimal::Decimal;
use std::path::Path;

/// The bench that was chosen.
pub enum Chosen {
    /// In process.
    Simulated(Box<Rig>),
    /// By a bench file.
    Real(Box<Description>),
}

/// All that a plan is made of.
pub struct Inputs {
    pub nameplate: Nameplate,
    /// The meter's name for messages, and its text.
    pub meter: (String, String),
    /// The bench file, or `simulated`.
    pub bench_name: String,
    pub profile: Profile,
    pub kind: Kind,
    pub entries: Entries,
    pub bench: Chosen,
    pub simulated: bool,
    /// SHA-256 of the regulation profile's text.
    pub profile_sha256: String,
    /// A pre-check and no verification.
    pub pre_check: bool,
    /// What was known of the meter's seals before.
    seals_before: History,
    /// Photographs that the entries name.
    pub photographs: Vec<Photograph>,
}

/// The text of a file, or the message why there is none.
pub fn read(path: &Path) -> Result<String, Stop> {
    description::read(path).map_err(Stop::input)
}

/// A meter by demo name or file: its name for messages, and its text.
pub fn meter_text(meter: &str) -> Result<(String, String), Stop> {
    match demo_meter(meter) {
        Some(text) if !Path::new(meter).is_file() => Ok((format!("demo meter {meter}"), text.to_owned())),
        _ => Ok((meter.to_owned(), read(Path::new(meter))?)),
    }
}

/// A regulation profile by id or file, and its text.
pub fn regulation(id_or_file: &str) -> Result<(Profile, String), Stop> {
    let is_builtin = Profile::builtin_ids().any(|id| id == id_or_file);
    let text = if !is_builtin && Path::new(id_or_file).is_file() {
        read(Path::new(id_or_file))?
    } else {
        // Neither shipped nor a file: the message lists what there is.
        Profile::builtin_text(id_or_file).map_err(Stop::input)?.to_owned()
    };
    Ok((Profile::from_toml(id_or_file, &text).map_err(Stop::input)?, text))
}

impl Inputs {
    /// Reads everything that the arguments name.
    pub fn load(task: &Task, data: Option<&Path>) -> Result<Self, Stop> {
        let kind: Kind = task.kind.parse().map_err(Stop::input)?;
        let meter = match &task.meter {
            Some(meter) => Some(meter_text(meter)?),
            None => None,
        };
        let entries = match &task.entries {
            Some(path) => {
                let mut entries =
                    Entries::from_toml(&path.display().to_string(), &read(path)?).map_err(Stop::input)?;
                let folder = path.parent().unwrap_or(Path::new("."));
                let photographs = super::photographs::take(&mut entries.seal, folder, "before")?;
                Some((entries, photographs))
            }
            None => None,
        };
        Self::of(task, meter, kind, entries, data)
    }

    /// For this meter (its name for messages, and its text), else the bench's own; of `task` bench and regulation count.
    pub fn of(
        task: &Task,
        meter: Option<(String, String)>,
        kind: Kind,
        entries: Option<(Entries, Vec<Photograph>)>,
        data: Option<&Path>,
    ) -> Result<Self, Stop> {
        let (mut profile, text) = regulation(&task.regulation)?;
        let (nameplate, meter, bench, simulated) = if task.bench == "simulated" {
            let meter = meter.map_or_else(|| meter_text("good"), Ok)?;
            let rig = Rig::new(&meter.0, &meter.1).map_err(Stop::input)?;
            (rig.nameplate.clone(), meter, Chosen::Simulated(Box::new(rig)), true)
        } else {
            let description = Description::load(Path::new(&task.bench)).map_err(Stop::input)?;
            let meter = match (meter, &description.nameplate) {
                (Some(meter), _) => meter,
                (None, Some(path)) => (path.display().to_string(), read(path)?),
                (None, None) => {
                    return Err(Stop::input(format!(
                        "{} names no nameplate: give --meter FILE, the nameplate of the meter under test",
                        task.bench
                    )));
                }
            };
            let nameplate = Nameplate::from_toml(&meter.0, &meter.1).map_err(Stop::input)?;
            let simulated = description.is_simulated();
            (nameplate, meter, Chosen::Real(Box::new(description)), simulated)
        };
        // A laboratory's answer in the chain is for exactly this text.
        let profile_sha256 = archive::sha256(text.as_bytes());
        if let Some(dir) = data {
            // What a file says of itself is nobody's answer.
            profile.approval =
                archive::profile_approval(dir, &profile_sha256, simulated).map_err(Stop::fault)?;
        }
        let mut seals_before = History::default();
        if let Some(dir) = data {
            seals_before = archive::seal_history(dir, &nameplate, simulated).map_err(Stop::fault)?;
        }
        let (entries, photographs) = match entries {
            Some(entered) => entered,
            None if simulated => (Entries::simulated(), vec![]),
            None => (Entries::default(), vec![]),
        };
        Ok(Self {
            nameplate,
            meter,
            bench_name: task.bench.clone(),
            profile,
            kind,
            entries,
            bench,
            simulated,
            profile_sha256,
            seals_before,
            photographs,
            pre_check: false,
        })
    }

    /// What the display shows, by the command line; it must not say otherwise than the entries.
    pub fn show_display(&mut self, shown: Option<Decimal>) -> Result<(), Stop> {
        let Some(shown) = shown else { return Ok(()) };
        match self.entries.display_energy_kwh {
            Some(entered) if entered != shown => Err(Stop::input(format!(
                "--display-energy is {shown} kWh, the entries say display_energy_kwh = \"{entered}\": leave one of them out"
            ))),
            _ => {
                self.entries.display_energy_kwh = Some(shown);
                Ok(())
            }
        }
    }

    /// What the bench can do, before its devices are asked who they are.
    pub fn capability(&self) -> Capability {
        match &self.bench {
            Chosen::Simulated(rig) => rig.capability(),
            Chosen::Real(description) => description.capability(),
        }
    }

    fn standards(&self) -> Standards {
        match &self.bench {
            Chosen::Simulated(rig) => rig.standards.clone(),
            Chosen::Real(description) => description.standards.clone(),
        }
    }

    /// The plan for a bench of this capability.
    pub fn plan(&self, capability: Capability) -> Result<Plan, Stop> {
        let (nameplate, profile, entries) =
            (self.nameplate.clone(), self.profile.clone(), self.entries.clone());
        let day = Stamp::now().date();
        let make = if self.pre_check { plan::pre_check } else { plan::make };
        let plan = make(nameplate, profile, self.kind, self.standards(), capability, entries, day);
        Ok(Plan { seals_before: self.seals_before.clone(), ..plan.map_err(Stop::input)? })
    }
}
