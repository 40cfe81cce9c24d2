//! A stand-in for the XL-9600 bench: the world's source and an error calculator beside ours, in datagrams. Obeyed control
//! commands are not answered, 源停止 is, an error comes at once, as its protocol says.

use super::{Fault, Part, Stage, Wrong, hold, spawn};
use crate::plan::Load;
use crate::quantity::{Current, Voltage};
use crate::source::xl9600::message::Message;
use crate::time::{Instant, Span, now};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::Ordering;

/// It looks so often whether a reading is complete.
const LOOK_EVERY: Span = Span::from_millis(50);
/// Scatter of its readings: this much above and below, in turn.
const SCATTER_PERCENT: f64 = 0.002;
/// The largest datagram it takes.
const DATAGRAM_MAX: usize = 8192;

/// Listens on loopback and gives the port. Its calculator says `off_percent` more than the truth.
pub(super) fn serve(stage: &Stage, off_percent: f64) -> Result<u16, Fault> {
    let refused =
        |e: std::io::Error| Fault::Serve { what: "listening on udp 127.0.0.1".into(), why: e.to_string() };
    let socket = UdpSocket::bind(("127.0.0.1", 0)).map_err(refused)?;
    socket.set_read_timeout(Some(LOOK_EVERY.to_std())).map_err(refused)?;
    let port = socket.local_addr().map_err(refused)?.port();
    let bench = Bench {
        stage: stage.clone(),
        off_percent,
        rated: Load::OFF,
        reading: Span::from_secs(10),
        set: Load::OFF,
        asked: None,
    };
    spawn(move || bench.run(&socket));
    Ok(port)
}

struct Bench {
    stage: Stage,
    off_percent: f64,
    /// 额定电压 and 标定电流; zero before 参数配置.
    rated: Load,
    /// 校验秒数.
    reading: Span,
    set: Load,
    /// When the readings asked for are complete, how many they are, and who asked.
    asked: Option<(Instant, u32, SocketAddr)>,
}

impl Bench {
    fn run(mut self, socket: &UdpSocket) {
        let mut buffer = vec![0; DATAGRAM_MAX];
        loop {
            let heard = socket.recv_from(&mut buffer).ok();
            let wrong = self.stage.wrong(Part::Source);
            let (reply, to) = match heard {
                Some((count, from)) => match Message::parse(&buffer[..count]) {
                    Ok(message) => (self.answer(&message, from), from),
                    Err(_) => continue,
                },
                None => match self.asked.filter(|(due, ..)| now() >= *due) {
                    Some((_, count, from)) => (Some(self.errors(count)), from),
                    None => continue,
                },
            };
            let bytes = match (wrong, reply) {
                (Some(Wrong::Silence | Wrong::HangUp), _) | (_, None) => continue,
                (Some(Wrong::Garbage), _) => b"@@ nonsense @@".to_vec(),
                (_, Some(message)) => message.emit(),
            };
            // Who asked may be gone.
            let _ = socket.send_to(&bytes, to);
        }
    }

    /// What it answers, if it answers; an unanswered command was obeyed.
    fn answer(&mut self, message: &Message, from: SocketAddr) -> Option<Message> {
        // One command at a time: whatever comes ends a reading.
        self.asked = None;
        let done = match message.name.as_str() {
            "参数配置" => self.configure(message),
            "源输出" => self.output(message),
            "源停止" => {
                self.set = Load::OFF;
                hold(&self.stage.world).set_source(Load::OFF);
                return Some(Message::bare("源停止应答"));
            }
            "误差读取" => {
                number(message, "统计次数").filter(|n| (1.0..=1000.0).contains(n)).map(|count| {
                    let count = count as u32;
                    self.asked = Some((now() + self.reading * f64::from(count), count, from));
                })
            }
            _ => None,
        };
        let items = vec![("错误".to_owned(), "参数错误".to_owned())];
        done.is_none().then(|| Message { name: "错误应答".into(), items })
    }

    fn configure(&mut self, message: &Message) -> Option<()> {
        let (volts, amperes) = (number(message, "额定电压")?, number(message, "标定电流")?);
        self.reading = Span::from_secs_f64(number(message, "校验秒数")?.clamp(0.1, 600.0));
        self.rated =
            Load { voltage_v: Voltage::from_volts(volts), current_a: Current::from_amperes(amperes) };
        Some(())
    }

    fn output(&mut self, message: &Message) -> Option<()> {
        let share = |key| number(message, key).filter(|n| (0.0..=150.0).contains(n)).map(|n| n / 100.0);
        let (voltage, current) = (share("电压检定点")?, share("电流检定点")?);
        self.set =
            Load { voltage_v: self.rated.voltage_v * voltage, current_a: self.rated.current_a * current };
        if !self.stage.cut.load(Ordering::SeqCst) {
            self.stage.begin();
            hold(&self.stage.world).set_source(self.set);
        }
        Some(())
    }

    /// The answer when all readings are made.
    fn errors(&mut self, count: u32) -> Message {
        self.asked = None;
        let truth = hold(&self.stage.world).true_error(self.set.current_a).percent() + self.off_percent;
        let scatter = |n: u32| if n.is_multiple_of(2) { SCATTER_PERCENT } else { -SCATTER_PERCENT };
        let readings: Vec<f64> = (0..count).map(|n| truth + scatter(n)).collect();
        let mean = readings.iter().sum::<f64>() / f64::from(count.max(1));
        let listed: Vec<String> = readings.iter().map(|error| format!("{error:.4}")).collect();
        let items = vec![("均值".to_owned(), format!("{mean:.4}")), ("原始值".to_owned(), listed.join(","))];
        Message { name: "误差读取应答".into(), items }
    }
}

/// The number at the front of a value: `1000V`, `50.0000%`.
fn number(message: &Message, key: &str) -> Option<f64> {
    let text = message.get(key)?;
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    text[..end].parse().ok().filter(|n: &f64| n.is_finite())
}
