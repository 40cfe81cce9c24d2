//! The driver against a scripted device whose silences take no time, from the protocol's own rules.

use super::*;
use crate::uncertainty::Estimate;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Notes what it hears; gives one scripted datagram (or silence) after each.
#[derive(Clone, Default)]
struct Device {
    heard: Arc<Mutex<Vec<Message>>>,
    script: Arc<Mutex<VecDeque<Vec<Message>>>>,
    waiting: Arc<Mutex<VecDeque<Vec<u8>>>>,
}

impl Device {
    fn after(script: &[&[Message]]) -> Self {
        let device = Self::default();
        *device.script.lock().unwrap() = script.iter().map(|answers| answers.to_vec()).collect();
        device
    }
    fn names(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|m| m.name.clone()).collect()
    }
}

impl Link for Device {
    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkFault> {
        self.heard.lock().unwrap().push(Message::parse(bytes).unwrap());
        let answers = self.script.lock().unwrap().pop_front().unwrap_or_default();
        self.waiting.lock().unwrap().extend(answers.iter().map(Message::emit));
        Ok(())
    }
    fn receive(&mut self, buffer: &mut [u8], _: Span) -> Result<usize, LinkFault> {
        let Some(datagram) = self.waiting.lock().unwrap().pop_front() else { return Ok(0) };
        buffer[..datagram.len()].copy_from_slice(&datagram);
        Ok(datagram.len())
    }
    fn discard_input(&mut self) -> Result<(), LinkFault> {
        self.waiting.lock().unwrap().clear();
        Ok(())
    }
    fn peer(&self) -> &'static str {
        "udp:test"
    }
}

fn setting() -> Setting {
    let text = "rated_voltage_v = 1000.0\nrated_current_a = 100.0\nconstant_imp_per_kwh = 4000.0";
    toml::from_str(text).unwrap()
}

fn load(volts: f64, amperes: f64) -> Load {
    Load { voltage_v: Voltage::from_volts(volts), current_a: Current::from_amperes(amperes) }
}

fn stopped() -> Message {
    Message::bare("源停止应答")
}

fn refused(why: &str) -> Message {
    message("错误应答", [("错误", why.to_owned())])
}

#[test]
fn it_is_switched_off_first_then_set_and_a_load_is_a_percentage() {
    let device = Device::after(&[&[stopped()], &[], &[], &[stopped()]]);
    let mut bench = Xl9600::open(Box::new(device.clone()), setting()).unwrap();
    bench.set(load(750.0, 10.0)).unwrap();
    bench.off().unwrap();
    assert_eq!(device.names(), ["源停止", "参数配置", "源输出", "源停止"]);
    let heard = device.heard.lock().unwrap();
    assert_eq!(heard[1].get("脉冲常数"), Some("4000"));
    assert_eq!(
        (heard[2].get("电压检定点"), heard[2].get("电流检定点")),
        (Some("75.0000%"), Some("10.0000%"))
    );
}

#[test]
fn what_is_beyond_the_rating_is_never_sent() {
    let device = Device::after(&[&[stopped()]]);
    let mut bench = Xl9600::open(Box::new(device.clone()), setting()).unwrap();
    let fault = bench.set(load(1000.1, 10.0)).unwrap_err().to_string();
    assert!(
        fault.contains("0 to 100 % of 1000 V and 100 A") && fault.contains("Nothing was sent"),
        "{fault}"
    );
    assert!(bench.set(load(10.0, -1.0)).is_err());
    assert_eq!(device.names(), ["源停止", "参数配置"]);
}

#[test]
fn a_refusal_is_said_in_its_own_words_and_silence_after_off_is_a_fault() {
    let device = Device::after(&[&[stopped()], &[], &[refused("电流超限")], &[]]);
    let mut bench = Xl9600::open(Box::new(device), setting()).unwrap();
    let fault = bench.set(load(750.0, 10.0)).unwrap_err().to_string();
    assert!(fault.contains("源输出") && fault.contains("电流超限"), "{fault}");
    let fault = bench.off().unwrap_err().to_string();
    assert!(fault.contains("always answers") && fault.contains("5.0 s"), "{fault}");
}

#[test]
fn a_late_answer_to_something_else_is_no_answer() {
    let late = message("误差读取应答", [("均值", "9.9".to_owned())]);
    let device = Device::after(&[&[stopped()], &[], &[], &[], &[late, stopped()]]);
    let mut bench = Xl9600::open(Box::new(device), setting()).unwrap();
    bench.set(load(750.0, 10.0)).unwrap();
    bench.ask_opinion(5).unwrap();
    // Off goes before the reading that is still on its way, and gets its own answer.
    bench.off().unwrap();
    assert_eq!(bench.poll_opinion(Span::ZERO), Ok(None));
}

#[test]
fn its_own_error_is_kept_with_its_load_and_held_against_ours() {
    let items = [("均值", "0.212%".to_owned()), ("原始值", "0.211%,0.213%,0.212%,0.212%".to_owned())];
    let device = Device::after(&[&[stopped()], &[], &[], &[message("误差读取应答", items)]]);
    let mut bench = Xl9600::open(Box::new(device), setting()).unwrap();
    bench.set(load(750.0, 10.0)).unwrap();
    bench.ask_opinion(4).unwrap();
    let opinion = bench.poll_opinion(Span::ZERO).unwrap().unwrap();
    assert_eq!((opinion.mean_percent, opinion.readings_percent.len()), (0.212, 4));
    assert_eq!(opinion.load, load(750.0, 10.0));
    let scatter = opinion.scatter_percent().unwrap();
    assert!((scatter - 0.000_408).abs() < 1e-6, "{scatter}");
    let ours = |value| Estimate { value, u: 0.02, dof: None, k: 2.0, expanded: 0.04 };
    assert_eq!(second_opinion(&ours(0.18), &opinion, 0.05), None);
    let finding = second_opinion(&ours(0.10), &opinion, 0.05).unwrap();
    assert!(finding.contains("+0.212 %") && finding.contains("+0.100 %"), "{finding}");
}

#[test]
fn an_answer_without_a_mean_is_shown_as_it_came() {
    let answer = message("误差读取应答", [("均值", "----".to_owned())]);
    let device = Device::after(&[&[stopped()], &[], &[answer]]);
    let mut bench = Xl9600::open(Box::new(device), setting()).unwrap();
    bench.ask_opinion(1).unwrap();
    let fault = bench.poll_opinion(Span::ZERO).unwrap_err().to_string();
    assert!(fault.contains("均值:----"), "{fault}");
}

#[test]
fn a_setting_that_cannot_be_is_refused_with_its_key() {
    let mut wrong = setting();
    wrong.constant_imp_per_kwh = f64::NAN;
    assert!(wrong.check().unwrap_err().contains("constant_imp_per_kwh"));
    setting().check().unwrap();
}
