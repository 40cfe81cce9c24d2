//! XL-9600, a verification bench for DC energy meters (Shenzhen Xinglong): source and error calculator in one, asked by
//! GBK text in datagrams. Its own error readings are a second opinion beside ours.
//!
//! UNCONFIRMED. Source: the maker's "secondary development protocol V1.0" by way of a public client that cites it (facts:
//! instruments, section 1). Order of its commands: 参数配置 (parameters), 源输出 (output on), 误差读取 (read errors),
//! 源停止 (output off). What is not there, and not used here: a reading of voltage, current and power. The reference
//! beside it stays another instrument.
//!
//! A command that is obeyed is often not answered at all; an error comes at once. So the line is listened to for 1.5 s, and
//! silence means that it was taken over. 源停止 is always answered, and switches nothing on: it asks whether the bench is
//! there, and it is the off.

pub mod message;
mod opinion;

use super::{Fault as SourceFault, Opinion, Source};
use crate::link::{Fault as LinkFault, Link};
use crate::plan::Load;
use crate::quantity::{Current, Voltage};
use crate::time::{Span, now};
use message::{Message, NoMessage};
use serde::{Deserialize, Serialize};

/// Its port, where nothing else was set at the device.
pub const PORT: u16 = 24_433;
/// So long an error is waited for after a control command.
const CONTROL_SILENCE: Span = Span::from_millis(1500);
/// So long 源停止 may take to be answered.
const OFF_PATIENCE: Span = Span::from_secs(5);
/// 源停止 without an answer is sent again after this.
const STOP_AGAIN: Span = Span::from_millis(500);
/// An error calculator that is worse than this is none. A house rule.
const EXPANDED_MAX: f64 = 10.0;
/// The longest message, in bytes.
const MESSAGE_MAX: usize = 8192;

const CONFIGURE: &str = "参数配置";
const OUTPUT: &str = "源输出";
const STOP: &str = "源停止";
const READ_ERROR: &str = "误差读取";

/// Why the bench did not do what it was told.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The line.
    #[error(transparent)]
    Link(#[from] LinkFault),
    /// It says why not.
    #[error("the XL-9600 on {peer} refused {command}: {said}")]
    Refused {
        /// The line.
        peer: String,
        /// The command.
        command: String,
        /// Its own words.
        said: String,
    },
    /// No answer where there always is one.
    #[error(
        "the XL-9600 on {peer} does not answer {command}, which it always answers, within {patience}. Check its power, its address and the network"
    )]
    Silent {
        /// The line.
        peer: String,
        /// The command.
        command: &'static str,
        /// How long was waited.
        patience: Span,
    },
    /// An answer that is none.
    #[error("the XL-9600 on {peer} answered {command} with {seen}")]
    Garbage {
        /// The line.
        peer: String,
        /// The command.
        command: String,
        /// What came.
        seen: String,
    },
}

/// `[source.xl9600]` of a bench file: what is set once at the beginning (参数配置).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// 额定电压: a load's voltage is a percentage of it.
    pub rated_voltage_v: Voltage,
    /// 标定电流: a load's current is a percentage of it.
    pub rated_current_a: Current,
    /// 电流接入方式: through the meter itself, or by a shunt.
    #[serde(default)]
    pub connection: Connection,
    /// 供电方式: the bench feeds the meter, or the voltage circuit does.
    #[serde(default)]
    pub supply: Supply,
    /// 分流器额定, in millivolt; used with a shunt. The protocol's default.
    #[serde(default = "shunt_mv")]
    pub shunt_mv: f64,
    /// 被检表阻抗, in ohm. Above about 600 it may stay at 1000 (protocol).
    #[serde(default = "impedance_ohm")]
    pub impedance_ohm: f64,
    /// 脉冲常数, in imp/kWh: of the meter under test.
    pub constant_imp_per_kwh: f64,
    /// Expanded uncertainty (k = 2) of its error readings, in percent, from its own certificate; left out, its readings
    /// stand beside ours and are not held against them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expanded_percent: Option<f64>,
    /// 校验秒数: seconds of one error reading; the bench finds the number of pulses itself.
    #[serde(default = "reading_secs")]
    pub reading_secs: u32,
    /// The highest load in percent of the rated values that it may be asked for.
    #[serde(default = "most_percent")]
    pub most_percent: f64,
}

fn shunt_mv() -> f64 {
    75.0
}

fn impedance_ohm() -> f64 {
    1000.0
}

fn reading_secs() -> u32 {
    // A house rule: half of the shortest window of the regulations read so far (10 s), so that one fits beside ours.
    5
}

fn most_percent() -> f64 {
    // A house rule: what is above the rating must be asked for in the bench file.
    100.0
}

/// 电流接入方式.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// 直接接入式.
    #[default]
    Direct,
    /// 间接接入式.
    Shunt,
}

/// 供电方式.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supply {
    /// 电源供电.
    #[default]
    Bench,
    /// 线路供电.
    Line,
}

impl Default for Setting {
    /// The protocol's defaults, without the figures that only a nameplate can give.
    fn default() -> Self {
        Self {
            rated_voltage_v: Voltage::ZERO,
            rated_current_a: Current::ZERO,
            connection: Connection::Direct,
            supply: Supply::Bench,
            shunt_mv: shunt_mv(),
            impedance_ohm: impedance_ohm(),
            constant_imp_per_kwh: 0.0,
            expanded_percent: None,
            reading_secs: reading_secs(),
            most_percent: most_percent(),
        }
    }
}

impl Setting {
    /// A figure that cannot be, in words.
    pub fn check(&self) -> Result<(), String> {
        for (key, value, most) in [
            ("rated_voltage_v", self.rated_voltage_v.volts(), 2000.0),
            ("rated_current_a", self.rated_current_a.amperes(), 2000.0),
            ("shunt_mv", self.shunt_mv, 1000.0),
            ("impedance_ohm", self.impedance_ohm, 1e6),
            ("constant_imp_per_kwh", self.constant_imp_per_kwh, 1e7),
            ("most_percent", self.most_percent, 150.0),
            ("reading_secs", f64::from(self.reading_secs), 600.0),
        ] {
            if !(value > 0.0 && value <= most) {
                return Err(format!("source.xl9600.{key} is {value}; allowed is above 0 to {most}"));
            }
        }
        if let Some(expanded) = self.expanded_percent.filter(|u| !(*u > 0.0 && *u <= EXPANDED_MAX)) {
            return Err(format!(
                "source.xl9600.expanded_percent is {expanded}; allowed is above 0 to {EXPANDED_MAX}, or nothing where it has no certificate"
            ));
        }
        Ok(())
    }

    fn message(&self) -> Message {
        let connection = match self.connection {
            Connection::Direct => "直接接入式",
            Connection::Shunt => "间接接入式",
        };
        let supply = match self.supply {
            Supply::Bench => "电源供电",
            Supply::Line => "线路供电",
        };
        let items = [
            ("电流接入方式", connection.to_owned()),
            ("供电方式", supply.to_owned()),
            ("额定电压", format!("{}V", self.rated_voltage_v.volts())),
            ("标定电流", format!("{}A", self.rated_current_a.amperes())),
            ("分流器额定", format!("{}mV", self.shunt_mv)),
            ("被检表阻抗", format!("{}Ω", self.impedance_ohm)),
            ("脉冲常数", self.constant_imp_per_kwh.to_string()),
            ("校验圈数", "自动".to_owned()),
            ("校验秒数", self.reading_secs.to_string()),
        ];
        message(CONFIGURE, items)
    }

    fn output(voltage_percent: f64, current_percent: f64) -> Message {
        let items = [
            ("电压检定点", format!("{voltage_percent:.4}%")),
            ("电流检定点", format!("{current_percent:.4}%")),
            ("电压纹波比例", "0%".to_owned()),
            ("电流纹波比例", "0%".to_owned()),
            ("电压纹波相位", "0度".to_owned()),
            ("电流纹波相位", "0度".to_owned()),
            // The protocol's default; without ripple it means nothing.
            ("纹波频率", "300Hz".to_owned()),
            ("电能方向", "正向".to_owned()),
        ];
        message(OUTPUT, items)
    }
}

fn message<const N: usize>(name: &str, items: [(&str, String); N]) -> Message {
    Message { name: name.into(), items: items.map(|(key, value)| (key.to_owned(), value)).to_vec() }
}

/// The bench on its line. One command is on the way at a time; what is still there from before is thrown away first.
pub struct Xl9600 {
    link: Box<dyn Link>,
    setting: Setting,
    /// An error reading was asked for and has not been answered.
    reading: Option<Load>,
    load: Load,
}

impl Xl9600 {
    /// Asks by 源停止 whether it is there (and so switches it off), then sets the meter's figures.
    pub fn open(link: Box<dyn Link>, setting: Setting) -> Result<Self, Fault> {
        let mut bench = Self { link, setting, reading: None, load: Load::OFF };
        bench.stop()?;
        let configure = bench.setting.message();
        bench.control(&configure)?;
        Ok(bench)
    }

    /// Asks by 源停止 whether an XL-9600 is there. An answer, also a refusal, says that it is.
    pub fn probe(link: &mut dyn Link) -> Result<Option<Message>, LinkFault> {
        link.discard_input()?;
        link.send(&Message::bare(STOP).emit())?;
        let mut buffer = vec![0; MESSAGE_MAX];
        let count = link.receive(&mut buffer, OFF_PATIENCE)?;
        Ok(Message::parse(&buffer[..count]).ok().filter(|m| m.answers(STOP) || m.refusal().is_some()))
    }

    /// Its line.
    pub fn peer(&self) -> &str {
        self.link.peer()
    }

    fn send(&mut self, command: &Message) -> Result<(), Fault> {
        self.link.discard_input()?;
        Ok(self.link.send(&command.emit())?)
    }

    /// One answer; `None` is silence.
    fn receive(&mut self, command: &str, patience: Span) -> Result<Option<Message>, Fault> {
        let mut buffer = vec![0; MESSAGE_MAX];
        let count = self.link.receive(&mut buffer, patience)?;
        if count == 0 {
            return Ok(None);
        }
        let message = Message::parse(&buffer[..count]).map_err(|why: NoMessage| Fault::Garbage {
            peer: self.peer().to_owned(),
            command: command.to_owned(),
            seen: why.to_string(),
        })?;
        match message.refusal() {
            Some(said) => {
                let peer = self.peer().to_owned();
                Err(Fault::Refused { peer, command: command.to_owned(), said })
            }
            None => Ok(Some(message)),
        }
    }

    /// A control command: silence means that it was taken over. The answer to something else is thrown away.
    fn control(&mut self, command: &Message) -> Result<(), Fault> {
        self.send(command)?;
        let deadline = now() + CONTROL_SILENCE;
        loop {
            match self.receive(&command.name, deadline - now())? {
                Some(message) if !message.answers(&command.name) => {}
                _ => return Ok(()),
            }
        }
    }

    /// 源停止, which is always answered.
    fn stop(&mut self) -> Result<(), Fault> {
        self.reading = None;
        let deadline = now() + OFF_PATIENCE;
        // A datagram may be lost, and off may be said twice: it is said again until it is answered.
        while now() < deadline {
            self.send(&Message::bare(STOP))?;
            let again = (now() + STOP_AGAIN).min(deadline);
            while let Some(message) = self.receive(STOP, again - now())? {
                if message.answers(STOP) {
                    self.load = Load::OFF;
                    return Ok(());
                }
            }
        }
        Err(Fault::Silent { peer: self.peer().to_owned(), command: STOP, patience: OFF_PATIENCE })
    }

    /// Asks for the mean of so many error readings (1 to 1000) at the load that stands. The answer comes when all are
    /// made; [`Xl9600::poll_opinion`] takes it. Off and another load go before it.
    pub fn ask_opinion(&mut self, count: u32) -> Result<(), Fault> {
        let command = message(READ_ERROR, [("统计次数", count.clamp(1, 1000).to_string())]);
        self.send(&command)?;
        self.reading = Some(self.load);
        Ok(())
    }

    /// The answer to [`Xl9600::ask_opinion`], if it has come within `patience`.
    pub fn poll_opinion(&mut self, patience: Span) -> Result<Option<Opinion>, Fault> {
        let Some(load) = self.reading else { return Ok(None) };
        let Some(message) = self.receive(READ_ERROR, patience)? else { return Ok(None) };
        if !message.answers(READ_ERROR) {
            return Ok(None);
        }
        self.reading = None;
        opinion::read(load, &message).map(Some).ok_or_else(|| Fault::Garbage {
            peer: self.peer().to_owned(),
            command: READ_ERROR.into(),
            seen: message.to_string(),
        })
    }

    /// A load in percent of the rated values, or why not. Nothing is sent.
    fn percent(&self, load: Load) -> Result<(f64, f64), SourceFault> {
        let share = |value: f64, rated: f64| 100.0 * value / rated;
        let voltage = share(load.voltage_v.volts(), self.setting.rated_voltage_v.volts());
        let current = share(load.current_a.amperes(), self.setting.rated_current_a.amperes());
        let most = self.setting.most_percent;
        if (0.0..=most).contains(&voltage) && (0.0..=most).contains(&current) {
            return Ok((voltage, current));
        }
        Err(SourceFault::Range {
            peer: self.peer().to_owned(),
            asked: format!("{}, {}", load.voltage_v, load.current_a),
            allowed: format!(
                "0 to {most} % of {} and {}",
                self.setting.rated_voltage_v, self.setting.rated_current_a
            ),
        })
    }
}

impl Source for Xl9600 {
    fn set(&mut self, load: Load) -> Result<(), SourceFault> {
        let (voltage, current) = self.percent(load)?;
        self.reading = None;
        let command = Setting::output(voltage, current);
        self.control(&command)?;
        self.load = load;
        Ok(())
    }

    fn off(&mut self) -> Result<(), SourceFault> {
        Ok(self.stop()?)
    }

    /// Nothing can be asked of it without switching it off or reading errors; whether the load stands, the reference sees.
    fn check(&mut self) -> Result<(), SourceFault> {
        Ok(())
    }

    fn ask_opinion(&mut self, count: u32) -> Result<bool, SourceFault> {
        Xl9600::ask_opinion(self, count)?;
        Ok(true)
    }

    fn poll_opinion(&mut self, patience: Span) -> Result<Option<Opinion>, SourceFault> {
        // A reading that was refused or that no one can read does not come a second time.
        Xl9600::poll_opinion(self, patience).map_err(|fault| {
            self.reading = None;
            fault.into()
        })
    }
}

#[cfg(test)]
mod tests;
