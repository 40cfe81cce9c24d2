//! What forbids ten minutes, and what would help.

use super::schedule::{Draft, Laid};
use super::{Fault, Nameplate, TEN_MINUTES};
use crate::quantity::Energy;

/// A change that leaves more than this share of the total is not worth saying.
const WORTH_SAYING: f64 = 0.95;

impl Draft<'_> {
    /// Which steps forbid ten minutes, and what a finer register or a faster test output would change.
    pub(super) fn advice(&self, laid: &Laid) -> Result<Vec<String>, Fault> {
        if laid.total <= TEN_MINUTES {
            return Ok(vec![]);
        }
        let mut advice = vec![];
        let Some(longest) = laid.steps.iter().max_by_key(|s| s.duration) else { return Ok(advice) };
        advice.push(format!("`{}` alone takes {}", longest.title, longest.duration));
        if self.nameplate.warm_up_secs.is_none() {
            let dwell = self.profile.warm_up(self.class)?.unwrap_or_default();
            advice.push(format!(
                "warm-up of {dwell} is the regulation's; if the maker's manual asks for less, give warm_up_secs in the nameplate"
            ));
        }
        let faster = Nameplate {
            constant_imp_per_kwh: self.nameplate.constant_imp_per_kwh * 10.0,
            ..self.nameplate.clone()
        };
        let what = format!("a test output of {}", faster.constant_imp_per_kwh);
        advice.extend(self.what_if(laid, &faster, &what)?);
        let finer = Nameplate {
            register_resolution_kwh: self.nameplate.register_resolution_kwh / rust_decimal::Decimal::TEN,
            ..self.nameplate.clone()
        };
        if self.register_energy()? > Energy::ZERO {
            let what = format!("a register read to {} kWh", finer.register_resolution_kwh.normalize());
            advice.extend(self.what_if(laid, &finer, &what)?);
        }
        Ok(advice)
    }

    /// What the total would be; nothing where that would help little.
    fn what_if(&self, laid: &Laid, nameplate: &Nameplate, what: &str) -> Result<Option<String>, Fault> {
        let other = self.with(nameplate);
        let total = other.shortest(other.register_energy()?)?.total;
        Ok((total < laid.total * WORTH_SAYING).then(|| format!("{what} would bring the total to {total}")))
    }
}
