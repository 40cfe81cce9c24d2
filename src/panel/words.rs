//! The words of the status panel in both languages, short enough for 128 dots.

use super::status::{How, Language, Stage};
use crate::verdict::Verdict;

/// The same in Chinese and English.
type Pair = (&'static str, &'static str);

/// One of the two.
pub(super) fn pick((zh, en): Pair, language: Language) -> &'static str {
    if language == Language::Chinese { zh } else { en }
}

/// Steps by the begin of their title, as the plan names them; what stands behind it (a current) stays.
const STEPS: [(&str, Pair); 18] = [
    ("Operator's entries", ("操作员录入", "Operator's entries")),
    ("Connection and polarity", ("接线与极性", "Connection, polarity")),
    ("Pulse input heard", ("脉冲输入", "Pulse input")),
    ("Warm-up", ("预热", "Warm-up")),
    ("Basic error at", ("基本误差", "Basic error")),
    ("Start at", ("起动", "Start")),
    ("Creep", ("潜动", "Creep")),
    ("Register at rest", ("计度器静止", "Register at rest")),
    ("Register, start", ("计度器起码", "Register, start")),
    ("Register, end", ("计度器止码", "Register, end")),
    ("Discharge", ("放电", "Discharge")),
    ("Daily clock rate", ("日计时误差", "Daily clock rate")),
    ("Identity and constant", ("身份与常数", "Identity, constant")),
    ("Event records", ("事件记录", "Event records")),
    ("Energy by month and day", ("按月电量", "Energy by month")),
    ("Clock", ("时钟", "Clock")),
    ("Tariff registers", ("费率计度器", "Tariff registers")),
    ("Cross-check U, I, P", ("核对 U I P", "Cross-check U, I, P")),
];

/// A step in words; none where the plan names it in a way that is not known here.
pub(super) fn step(title: &str, language: Language) -> Option<String> {
    let (begin, pair) = STEPS.iter().find(|(begin, _)| title.starts_with(begin))?;
    Some(format!("{}{}", pick(*pair, language), &title[begin.len()..]))
}

/// What is being done at a step, by the engine's word.
pub(super) fn doing(word: &str, language: Language) -> &'static str {
    let pair = match word {
        "setting" => ("调节", "set"),
        "settling" => ("稳定", "settle"),
        "measuring" => ("测量", "measure"),
        "switching off" => ("断电", "off"),
        _ => ("结束", "over"),
    };
    pick(pair, language)
}

/// The head of a picture.
pub(super) fn head(stage: &Stage) -> Pair {
    match stage {
        Stage::Ready => ("就绪", "READY"),
        Stage::Opening => ("准备", "PREPARING"),
        Stage::Running(progress) if progress.pre_check => ("预检", "CHECK"),
        Stage::Running(_) => ("检定", "RUN"),
        Stage::Ended(ending) => match &ending.how {
            How::Verdict(Verdict::Pass) => ("合格", "PASS"),
            How::Verdict(Verdict::Fail) => ("不合格", "FAIL"),
            How::Verdict(Verdict::Undecided) => ("未判定", "UNDECIDED"),
            How::PreCheck { beyond: 0, .. } => ("未见异常", "NOTHING FOUND"),
            How::PreCheck { .. } => ("有异常", "FINDINGS"),
            How::Aborted(_) => ("已中止", "ABORTED"),
            How::Faulted(_) => ("装置故障", "BENCH FAULT"),
        },
    }
}

pub(super) const SIMULATED: Pair = ("模拟", "SIM");
pub(super) const LIVE: Pair = ("带电", "LIVE");
pub(super) const LEFT: Pair = ("剩余", "left");
pub(super) const SAFE: Pair = ("可拆线", "SAFE");
pub(super) const UNSAFE: Pair = ("勿触端子 有电", "DO NOT TOUCH: LIVE");
pub(super) const NO_NETWORK: Pair = ("无网络", "no network");
pub(super) const OPENING: Pair = ("连接仪器", "asking the devices");
pub(super) const NO_CERTIFICATE: Pair = ("预检 非证书", "no certificate");
pub(super) const NO_VERDICT: Pair = ("无结论", "no verdict");

/// Where a fault lies, by the begin of its words.
const PLACES: [(&str, &str); 9] = [
    ("source: ", "电源"),
    ("reference: ", "标准表"),
    ("pulse counter: ", "脉冲计数"),
    ("seconds-pulse counter: ", "秒脉冲"),
    ("meter's data output: ", "电能表通信"),
    ("interlock: ", "联锁"),
    ("heartbeat: ", "心跳"),
    ("nameplate", "铭牌"),
    ("reference pulses: ", "标准脉冲"),
];

/// What often ends a run, by a part of its words.
const REASONS: [(&str, &str); 8] = [
    ("the emergency stop is pressed", "急停已按下"),
    ("the lid over the terminals is open", "端子盖打开"),
    ("the lock is open", "锁未闭合"),
    ("the tester is too hot", "仪器过热"),
    ("the isolation monitor has tripped", "绝缘报警"),
    ("stopped by the operator", "操作员停止"),
    ("the discharge was not confirmed", "未确认放电"),
    ("interrupted", "被中断"),
];

/// A fault in words: in Chinese where it lies or what it is, and its own words behind it.
pub(super) fn fault(why: &str, language: Language) -> String {
    if language == Language::English {
        return why.to_owned();
    }
    if let Some((_, zh)) = REASONS.iter().find(|(part, _)| why.contains(part)) {
        return (*zh).to_owned();
    }
    match PLACES.iter().find(|(begin, _)| why.starts_with(begin)) {
        Some((begin, zh)) => format!("{zh} {}", &why[begin.len()..]),
        None => why.to_owned(),
    }
}
