//! What the record says in English, in Chinese. The record keeps one language; a paper prints both, or the one that was
//! asked for. What is not in the list (a name, a remark, a message of a device) stands as it is.

use super::Words;
use super::spoken::SPOKEN;

/// A text of the record in both languages.
pub fn said(english: &str) -> Words {
    Words::new(chinese(english, &[]), english)
}

/// A text of the program on the screen in both languages: those of the record, and what is said beside.
pub fn spoken(english: &str) -> Words {
    Words::new(chinese(english, SPOKEN), english)
}

fn chinese(english: &str, beside: &[(&str, &str)]) -> String {
    let found = SAID.iter().chain(beside).find_map(|(pattern, zh)| Some((parts(pattern, english)?, zh)));
    let Some((parts, zh)) = found else { return english.to_owned() };
    let mut parts = parts.into_iter().map(|part| chinese(part, beside));
    let mut pieces = zh.split("{}");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + &parts.next().unwrap_or_default() + piece)
}

/// What stands in place of each `{}`, where the text is of this pattern.
fn parts<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut literals: Vec<&str> = pattern.split("{}").collect();
    let mut rest = text.strip_prefix(literals.remove(0))?;
    let Some(last) = literals.pop() else { return rest.is_empty().then(Vec::new) };
    let mut parts = vec![];
    for literal in literals {
        let (part, after) = rest.split_once(literal)?;
        parts.push(part);
        rest = after;
    }
    parts.push(rest.strip_suffix(last)?);
    Some(parts)
}

/// English and Chinese; `{}` is a number, a name or a text that is looked up again. The parts stand in the same order in
/// both. What is special stands before what is general.
const SAID: &[(&str, &str)] = &[
    // A run that was interrupted.
    (
        "interrupted at `{}`: {}; the last that was kept is of {}, and it went on at {}",
        "在“{}”处中断：{}；最后保存于 {}，继续于 {}",
    ),
    (
        "interrupted at its end: {}; the last that was kept is of {}, and it went on at {}",
        "在结束时中断：{}；最后保存于 {}，继续于 {}",
    ),
    ("the program ended in it; the computer ran on", "程序中途退出，计算机未重启"),
    (
        "the computer was started anew in it: the power failed, or somebody switched it off",
        "计算机中途重启：断电或被关机",
    ),
    ("the program ended in it", "程序中途退出"),
    ("the program ended in it; the computer ran on; {}", "程序中途退出，计算机未重启；{}"),
    ("the serial number {} was read from the nameplate again", "重新读取了铭牌编号 {}"),
    (
        "that the load went away was not seen: the last that was kept is of {}, when the run was interrupted",
        "未见负载断开：最后保存于 {}，其时检定被中断",
    ),
    (
        "signed record: the transaction {} was interrupted with the run; another takes its place",
        "签名记录：交易 {} 随检定中断，另起一笔",
    ),
    // Rows of a budget.
    ("reference certificate", "标准器证书"),
    ("reference drift", "标准器漂移"),
    ("reference temperature", "标准器温度影响"),
    ("time base certificate", "时基证书"),
    ("time base drift", "时基漂移"),
    ("time base temperature", "时基温度影响"),
    ("time base", "时基"),
    ("resolution of the reference", "标准器分辨力（半步）"),
    ("current leads", "电流引线"),
    ("voltage leads", "电压引线"),
    ("edge time stamps", "脉冲沿时间戳"),
    ("pulse jitter of the meter", "被检表脉冲抖动"),
    ("sampling and source instability", "采样与电源不稳定"),
    ("moment of the reference's energy count", "标准器电能读数时刻"),
    ("clock of the counter", "计数器时钟"),
    ("repeatability", "重复性"),
    ("register step", "计度器分辨力（始末各半步）"),
    ("register steps", "计度器分辨力（半步）"),
    ("our clock", "检定装置时钟"),
    ("meter shows whole seconds", "被检表时钟分辨力（半步）"),
    ("moment of the reading", "读数时刻"),
    ("total moved while its parts were read", "读取分费率期间总电能的变化"),
    ("changes of load between samples", "两次采样间的负载变化"),
    ("pulse at either end", "始末脉冲"),
    ("last digit", "末位分辨力（半步）"),
    ("age of the value", "示值滞后"),
    ("carried over", "其他负载点的外推"),
    ("reference not corrected", "标准器未修正"),
    ("energy passed at the load before", "前一负载下通过的电能"),
    ("normal", "正态"),
    ("rectangular", "均匀"),
    ("triangular", "三角"),
    // Their evidence.
    ("{} % by certificate {}", "{} %，证书 {}"),
    (
        "{}; the temperature was not entered and is assumed between {} and {} ({})",
        "{}；未录入温度，假定在 {} 至 {} 之间（{}）",
    ),
    ("±{} %: {}", "±{} %：{}"),
    ("{} a year, {} days since {}", "每年 {}，{} 天，自 {} 起"),
    ("no effect, as its file says", "其数据文件注明无影响"),
    ("{} a kelvin, {} K from calibration at {}", "每开尔文 {}，偏离校准温度 {} K，校准温度 {}"),
    ("steps of {} % of the reading", "步长为示值的 {} %"),
    ("steps of {} in {}", "步长 {}，{}"),
    ("±{} at {}", "±{}，在 {} 下"),
    ("±{} s each", "各 ±{} s"),
    (
        "edges scatter by {} s about their line, {} s of it beyond their stamps",
        "脉冲沿相对拟合直线的分散为 {} s，其中 {} s 超出时间戳分量",
    ),
    (
        "±{} %: its stamps moved {} ms against our clock in {}",
        "±{} %：其时间戳相对本机时钟偏移 {} ms，历时 {}",
    ),
    ("{} at either end of {} J", "始末各 {}，总电能 {} J"),
    ("±{} s between question and answer", "问答之间 ±{} s"),
    ("between question and answer", "问答之间的时间"),
    ("{} % of {} samples seen", "{} %，由 {} 个样本得出"),
    ("{} % of a sample as its file states", "单个样本 {} %，依其数据文件"),
    ("{} % of a sample anywhere in the settle band", "单个样本 {} %，在稳定带内任意处"),
    (
        "{} readings scatter by {} %; by the rows above {} % was to be expected",
        "{} 次读数的分散为 {} %；由以上各分量预期为 {} %",
    ),
    ("{} passed between {} and the load point", "{} 在 {} 与本负载点之间通过"),
    ("taken to be within the regulation's ± for the clock standard", "取规程对时钟标准规定的 ± 限值"),
    ("1 s step", "步长 1 s，半步 0.5 s"),
    ("what the reference moved in the {} s before", "标准器在此前 {} s 内的变化"),
    ("first and last edge", "首末脉冲沿"),
    ("{} registers of {} kWh", "{} 个计度器，分辨力 {} kWh"),
    ("{} readings", "{} 次读数"),
    ("1 of {}", "{} 个脉冲中的 1 个"),
    ("certificate {} is of power", "证书 {} 仅针对功率"),
    ("certificate {}", "证书 {}"),
    // Why a number has its verdict.
    ("U above the ratio; the value with U lies within the limit", "U 超过规定比例；测得值连同 U 在限值以内"),
    (
        "U above the ratio; the value less U lies beyond the limit",
        "U 超过规定比例；测得值扣除 U 后仍超出限值",
    ),
    (
        "U = {} is more than {} of the limit {}, and the limit lies within U",
        "U = {} 超过比例 {}（限值 {}），且限值落在 U 区间内",
    ),
    ("{}: |{}| against {} with guard band {}", "{}：|{}|，限值 {}，保护带 {}"),
    ("conditional pass", "有条件合格"),
    ("conditional fail", "有条件不合格"),
    ("pass", "合格"),
    ("fail", "不合格"),
    ("limit or value is no number", "限值或测得值不是数"),
    ("the value or its uncertainty is no number", "测得值或其不确定度不是数"),
    ("{} with its uncertainty cannot be stated", "{} 及其不确定度无法给出"),
    ("{}; but a spoiled attempt had {} %: {}", "{}；但一次作废的测量误差为 {} %：{}"),
    (
        "{}; but the reference's power is {} % off its voltage times its current, more than a third of the limit: one of the three is wrong",
        "{}；但标准器功率与其电压电流之积相差 {} %，超过误差限的三分之一：三者之一有误",
    ),
    ("{}; but not all pulses that were counted are the meter's: {}", "{}；但所计脉冲并非全部来自电能表：{}"),
    ("not all pulses that were counted are the meter's: {}", "所计脉冲并非全部来自电能表：{}"),
    (
        "{}; but the input of the energy pulses hears one pulse a second at every load: the seconds pulse sits on it. Swap the two plugs, and repeat",
        "{}；但电能脉冲输入端在各负载下均为每秒一个脉冲：接入的是秒脉冲。请对调两个插头后重测",
    ),
    (
        "the input of the energy pulses hears one pulse a second at every load: the seconds pulse sits on it. Swap the two plugs, and repeat",
        "电能脉冲输入端在各负载下均为每秒一个脉冲：接入的是秒脉冲。请对调两个插头后重测",
    ),
    (
        "{} of {} readings; {} attempts spoiled, the last: {}",
        "{} 次读数，应有 {} 次；作废 {} 次，最后一次：{}",
    ),
    ("{} of {} readings", "{} 次读数，应有 {} 次"),
    (
        "{}, in this look without the clock of the counter, which U contains",
        "{}（该次判断未计计数器时钟分量，U 中已计入）",
    ),
    ("{} readings of {} to {}: {}", "{} 次读数（{} 至 {} 次）：{}"),
    ("the limit lies outside the interval of this look", "限值在本次区间之外"),
    ("more readings would not narrow the uncertainty", "增加读数不能再减小不确定度"),
    ("the planned maximum", "已达计划的最多次数"),
    ("no pulse in {}, {} were due", "{} 内无脉冲，应有 {} 个"),
    ("{} pulses in {}, {} allowed", "{} 个脉冲，历时 {}，允许 {} 个"),
    ("the counter told afterwards that it had lost edges", "计数器事后报告丢失脉冲沿"),
    ("the counter lost edges around it", "其间计数器丢失脉冲沿"),
    ("the counter lost edges between the two readings", "两次读数之间计数器丢失脉冲沿"),
    ("the counter lost edges of the seconds pulse", "计数器丢失秒脉冲沿"),
    ("the counter lost edges", "计数器丢失脉冲沿"),
    (
        "silence, but the pulse input was not heard before and after it: the head may have come off",
        "无脉冲，但前后均未确认脉冲输入有效：光电头可能脱落",
    ),
    ("the pulse input fell silent in between and was not heard again", "其间脉冲输入中断，此后未再出现"),
    ("not measured", "未测"),
    ("not planned", "未计划"),
    ("not entered by the operator", "操作员未录入"),
    ("appearance: {}; function: {}", "外观：{}；功能：{}"),
    ("appearance: {}; function in order", "外观：{}；功能正常"),
    ("appearance in order; function: {}", "外观正常；功能：{}"),
    ("appearance in order; function in order", "外观正常；功能正常"),
    ("{} in order", "{} 正常"),
    ("not in order: {}", "不正常：{}"),
    ("SIMULATED: nobody looked", "模拟：无人查看"),
    ("withstand: {}", "耐压：{}"),
    (
        "the meter says it is {}, the nameplate says {}: is this the meter?",
        "电能表自报为 {}，铭牌为 {}：是否为该表？",
    ),
    ("the meter says it is {}", "电能表自报为 {}"),
    ("number {}, address {}", "表号 {}，通信地址 {}"),
    ("number {}", "表号 {}"),
    ("address {}", "通信地址 {}"),
    (
        "cover opened {} times; how many earlier papers know of was not entered",
        "开盖 {} 次；未录入以往文件所载次数",
    ),
    (
        "cover opened {} times, last {}; {} known from earlier papers",
        "开盖 {} 次，最近 {}；以往文件载有 {} 次",
    ),
    ("cover opened {} times; {} known from earlier papers", "开盖 {} 次；以往文件载有 {} 次"),
    ("the meter has no clock, as the nameplate says", "铭牌注明电能表无时钟"),
    ("the meter has no clock", "电能表无时钟"),
    ("the clock cannot be read: no data output on the nameplate", "无法读取时钟：铭牌无数据接口"),
    ("the meter did not give its clock", "电能表未给出时钟"),
    ("{}; it showed {} at {}", "{}；其示值 {}，标准时刻 {}"),
    (
        "{}; but the tester's own clock was not checked (entry tester_clock_checked)",
        "{}；但检定装置自身时钟未经核对（录入项 tester_clock_checked）",
    ),
    (
        "{} of {} seconds pulses came (no seconds-pulse input, or the output is not switched on)",
        "秒脉冲 {} 个，应有 {} 个（无秒脉冲输入，或输出未接通）",
    ),
    ("the time base has no certificate", "时基无证书"),
    (
        "the clock of the seconds' counter moved {} ms against ours in {}: one of them is no time base. Is the network setting this computer's clock, or the counter's line slow?",
        "秒脉冲计数器的时钟相对本机时钟偏移 {} ms，历时 {}：二者之一不能作为时基。请检查网络是否正在校正本机时钟，或计数器线路是否过慢",
    ),
    ("too few readings", "读数次数不足"),
    ("the meter has no tariff registers, as the nameplate says", "铭牌注明电能表无费率计度器"),
    ("the registers cannot be read: no data output on the nameplate", "无法读取计度器：铭牌无数据接口"),
    ("the meter gives no tariff registers", "电能表未给出费率计度器"),
    ("the meter gave its tariffs, but not its total", "电能表给出分费率电能，未给出总电能"),
    ("the registers cannot be added", "各费率电能无法相加"),
    ("{}; total {} kWh, sum of {} tariffs {} kWh", "{}；总电能 {} kWh，{} 个费率之和 {} kWh"),
    ("{}; signed record: {}", "{}；签名数据：{}"),
    ("{} (worst of: {})", "{}（取最差：{}）"),
    (
        "the data output gave no voltage, current, power or energy to compare with",
        "数据接口未给出可比对的电压、电流、功率或电能",
    ),
    (
        "the data output tells of another load than the reference measured: {}",
        "数据接口所示负载与标准器测得的不符：{}",
    ),
    ("{}; but {}", "{}；但{}"),
    ("{} ({} kWh by {} pulses, {} kWh by register)", "{}（{} kWh，由 {} 个脉冲；{} kWh，由计度器）"),
    ("the register was not read at both ends", "计度器未在始末两次读数"),
    ("the register gave no number", "计度器未给出数值"),
    ("neither pulses nor register moved", "脉冲与计度器均无变化"),
    ("the register cannot be read: no data output on the nameplate", "无法读取计度器：铭牌无数据接口"),
    ("the register ran back from {} to {} kWh: read the display", "计度器由 {} 倒退至 {} kWh：请查看显示"),
    // Seals.
    (
        "waits for the answer of an approver, by `phantomload seal answer` with the number of this record: {}",
        "待批准人答复（以本记录编号执行 phantomload seal answer）：{}",
    ),
    ("{} (and {} more)", "{}（另 {} 项）"),
    ("nothing unanswered since {} of {}", "自 {}（{}）以来无未答复事项"),
    ("nothing unanswered; no earlier certificate of this meter is known", "无未答复事项；未知该表以往证书"),
    ("event record: {}", "事件记录：{}"),
    (
        "event records that the meter does not give: {} and {} others: {}",
        "电能表未给出的事件记录：{}等（另 {} 项）：{}",
    ),
    ("event records that the meter does not give: {}: {}", "电能表未给出的事件记录：{}：{}"),
    (
        "seals: what was found in {} was answered by {}, {}, at {} (entry {} of the chain): {}",
        "封印：{} 中所见由 {}（{}）于 {} 答复（记录链第 {} 条）：{}",
    ),
    ("seals: {}", "封印：{}"),
    ("at the end: {}", "检毕：{}"),
    (
        "{}; no earlier certificate of this meter is known, and nobody has answered it",
        "{}；未知该表以往证书，亦无人答复",
    ),
    (
        "{}, fewer than the {} that {} knows of: the records were cleared, or it is another meter",
        "{}，少于已知的 {} 次（{}）：记录曾被清除，或为另一块表",
    ),
    (
        "{}; {} knows of as many, but the last was at {}: the records were cleared, or the clock was set",
        "{}；{}载有相同次数，但最近一次为 {}：记录曾被清除，或时钟曾被设置",
    ),
    ("{}; {} knows of {}", "{}；{}载有 {} 次"),
    ("the last certificate, {} of {},", "上次证书 {}（{}）"),
    ("what {} has answered for in {}", "{} 对 {} 的答复"),
    ("no count any more of: {}; {} knows of {}", "不再给出次数：{}；{}载有 {} 次"),
    (
        "seal {} at {} was not looked at; the last certificate, {} of {}, left it there",
        "封印 {}（位置 {}）未查看；上次证书 {}（{}）在此处留有该封印",
    ),
    ("{}: it is open now", "{}：现处于打开状态"),
    ("{}; the last certificate, {} of {}, left seal {} there", "{}；上次证书 {}（{}）在此处留有封印 {}"),
    ("seal without number at {}: {}", "封印（无编号），位置 {}：{}"),
    ("seal {} at {}: {}", "封印 {}，位置 {}：{}"),
    ("intact, {}", "完好，{}"),
    ("damaged, {}", "受损，{}"),
    ("broken, {}", "破坏，{}"),
    ("missing, {}", "缺失，{}"),
    ("illegible, {}", "编号不可辨认，{}"),
    ("intact", "完好"),
    ("damaged", "受损"),
    ("broken", "破坏"),
    ("missing", "缺失"),
    ("illegible", "编号不可辨认"),
    ("verifier", "检定员"),
    ("checker", "核验员"),
    ("approver", "批准人"),
    ("terminal cover opened {} times, last {}", "开端钮盖 {} 次，最近 {}"),
    ("terminal cover opened {} times", "开端钮盖 {} 次"),
    ("cover opened {} times, last {} and not closed since", "开表盖 {} 次，最近 {}，尚未合上"),
    ("cover opened {} times, last {}", "开表盖 {} 次，最近 {}"),
    ("cover opened {} times", "开表盖 {} 次"),
    ("programmed {} times, last {}", "编程 {} 次，最近 {}"),
    ("programmed {} times", "编程 {} 次"),
    ("clock set {} times, last {}", "校时 {} 次，最近 {}"),
    ("clock set {} times", "校时 {} 次"),
    ("supply lost {} times, last {}", "失电 {} 次，最近 {}"),
    ("supply lost {} times", "失电 {} 次"),
    ("terminal cover opened", "开端钮盖"),
    ("cover opened", "开表盖"),
    ("programmed", "编程"),
    ("clock set", "校时"),
    ("supply lost", "失电"),
    // Clock and seconds pulse.
    (
        "{}; {} s from the question to that moment are taken out, ±{} s",
        "{}；已扣除自询问至该时刻的传输延时 {} s，±{} s",
    ),
    (
        "the meter was told to put the seconds pulse on its multi-function output (1DH)",
        "已命令电能表在多功能端子输出秒脉冲（1DH）",
    ),
    (
        "the meter did not put the seconds pulse on its multi-function output (1DH): {}",
        "电能表未在多功能端子输出秒脉冲（1DH）：{}",
    ),
    ("the meter gives no seconds pulse: {}", "电能表不输出秒脉冲：{}"),
    ("the meter answered: {}", "电能表应答：{}"),
    ("forward active energy at the {}. last settlement: {}", "上{}结算日正向有功电能：{}"),
    ("settlement day {} of a month: {}", "每月第{}结算日：{}"),
    ("moment of the {}. last daily freeze: {}", "上{}次日冻结时间：{}"),
    ("forward active energy at the {}. last daily freeze: {}", "上{}次日冻结正向有功电能：{}"),
    // The unit of the register.
    (
        "unit of the register: {} digits behind the point in kWh ({}), since the display shows {} kWh",
        "计度器单位：以 kWh 计小数 {} 位（{}），依据显示 {} kWh",
    ),
    (
        "unit of the register: the display shows {} kWh, as the register",
        "计度器单位：显示 {} kWh，与计度器一致",
    ),
    ("no energy of the register was judged: {}", "未对计度器电能作出判断：{}"),
    (
        "the unit of its energy register is disputed ({}): {}",
        "其电能计度器的单位有争议（{}）：请读取显示并录入（display_energy_kwh 或 verify --display-energy）；{}",
    ),
    (
        "the display was entered as {} kWh, which contradicts the register by every source ({}): {}",
        "录入的显示为 {} kWh，与任一来源的计度器读数均不符（{}）：请重新读取显示及小数点；{}",
    ),
    (
        "the pulses contradict the {} digits behind the point that the nameplate gives the register: compare the display",
        "脉冲与铭牌所给计度器 {} 位小数相矛盾：请与显示器核对",
    ),
    (
        "the pulses contradict the {} digits behind the point that the display, entered as {} kWh, gives the register: {}",
        "脉冲与依显示所定的小数位数（{} 位，录入 {} kWh）不符：请重新读取显示及小数点；{}",
    ),
    (
        "the display shows {} kWh, which fits more than one source ({}): {}",
        "显示 {} kWh 与多个来源相符（{}）：请录入全部数字；{}",
    ),
    (
        "the display was entered as {} kWh, and the register says {} kWh: {}",
        "录入的显示为 {} kWh，计度器为 {} kWh：请重新读取显示及小数点；{}",
    ),
    // Findings.
    (
        "the meter says its constant is {} imp/kWh; the nameplate (of the output that was counted) says {}",
        "电能表自报常数 {} imp/kWh；铭牌（所计数的输出）为 {}",
    ),
    (
        "the bench states no {}: what leaks past the reference or is lost on its leads is not in the uncertainty",
        "装置数据未给出 {}：绕过标准器的泄漏及引线损失未计入不确定度",
    ),
    ("the meter gives no {}: {}", "电能表未给出 {}：{}"),
    (
        "cross-check: the {} is too coarse to say anything: its U = {} % is beyond the limit {} %",
        "交叉核对：{}分辨力不足，不能作出判断：其 U = {} %，超过限值 {} %",
    ),
    (
        "cross-check: {} and {} are {} % apart, allowed {} % with U = {} %: {}",
        "交叉核对：{}与{}相差 {} %，允许 {} %，U = {} %：{}",
    ),
    (
        "coarse register: it moves in steps of {} kWh, but the nameplate and its digits promise {} kWh",
        "计度器步长偏大：实际步长 {} kWh，而铭牌及位数应为 {} kWh",
    ),
    // The cross-check.
    ("reference", "标准器"),
    ("pulses", "脉冲"),
    ("register", "计度器"),
    ("active power", "有功功率"),
    ("signed record", "签名数据"),
    ("none: the meter signs no records by this protocol", "无：该表按此协议不提供签名数据"),
    ("none: {}", "无：{}"),
    ("the signed record is not authentic: {}", "签名数据不真实：{}"),
    ("the signed record is malformed: {}", "签名数据格式损坏：{}"),
    ("the signed record is of meter {}, asked was meter {}", "签名数据属于电能表 {}，被询问的是电能表 {}"),
    (
        "the signed energy contradicts the register: {} % apart, U = {} %",
        "签名电能与计度器不符：相差 {} %，U = {} %",
    ),
    (
        "signed record: energy: the record goes from {} to {} kWh, but the meter showed {} kWh before and {} kWh after it: it is another transaction's",
        "签名数据：记录从 {} 至 {} kWh，而电能表此前示值 {} kWh、此后 {} kWh：属于另一次事务",
    ),
    ("the signed record takes {} % too much", "签名数据偏多 {} %"),
    ("the meter did not begin a transaction: {}", "电能表未开始事务：{}"),
    ("the meter did not end the transaction: {}", "电能表未结束事务：{}"),
    (
        "the meter gave no signed record within {} (its last answer: {}); it keeps it, ask again later",
        "电能表在 {} 内未给出签名数据（最后应答：{}）；电能表仍保存，可稍后再取",
    ),
    ("the waiting for it was ended: {}; the meter keeps it", "等待被终止：{}；电能表仍保存"),
    ("the run ended before its time", "检定提前结束"),
    ("the run ended before the transaction began", "事务开始前检定已结束"),
    ("the run ended while the meter signed; it keeps the record", "签名期间检定已结束；电能表仍保存"),
    ("valid: the key has signed exactly these bytes", "有效：密钥确已签署这些字节"),
    (
        "this key has not signed these bytes; they were changed, or another meter signed them",
        "该密钥未签署这些字节：数据被改动，或由另一电能表签署",
    ),
    ("not authentic: {}", "不真实：{}"),
    ("malformed: {}", "格式损坏：{}"),
    (
        "key unknown: without the meter's public key nothing can be said; read it from the meter's label or its maker's register",
        "密钥未知：无电能表公钥，不能判断；请从电能表标牌或制造单位的登记处读取",
    ),
    ("algorithm unsupported: {} is not one that this program checks", "签名算法不支持：本程序不检验 {}"),
    (
        "signed record: the transaction {} in the meter was ended with the run",
        "签名数据：电能表中的事务 {} 已随检定结束",
    ),
    (
        "signed record: the transaction {} may still be running in the meter: end it there ({})",
        "签名数据：电能表中的事务 {} 可能仍在进行：请在电能表上结束（{}）",
    ),
    ("signed record: deviation: {}", "签名数据：与规范不符：{}"),
    ("signed record: {}", "签名数据：{}"),
    ("step of the signed readings", "签名读数分辨力（始末各半步）"),
    ("register and transaction at other moments", "计度器与事务的读数时刻不同"),
    ("what the reference counted between them", "其间标准器所计电能"),
    ("no data output on the nameplate", "铭牌无数据接口"),
    ("{} was not read in this run", "本次未读取 {}"),
    ("U is beyond the limit {} % by the {}", "U 超过限值 {} %，由{}引起"),
    ("nothing else tells which of the two is off ({})", "无其他途径可判断何者有误（{}）"),
    (
        "wrong constant: the {} takes {} times the energy of the {}, which {} imp/kWh in place of {} would explain",
        "常数有误：{}所计电能为另一途径的 {} 倍（{}），若常数为 {} imp/kWh 而非 {} 则相符",
    ),
    ("LED and register differ: the pulse output gives {} % too much", "脉冲与计度器不符：脉冲输出偏多 {} %"),
    ("register and LED differ: the register takes {} % too much", "计度器与脉冲不符：计度器偏多 {} %"),
    ("stale value: the active power does not follow a change of load", "示值滞后：有功功率不随负载变化"),
    ("the metering error itself, all that the meter gives says the same", "即计量误差本身，电能表各输出一致"),
    // Why there is no certificate.
    ("the temperature was not entered; allowed is {} °C ± {} K ({})", "未录入温度；允许 {} °C ± {} K（{}）"),
    ("the temperature was {}; allowed is {} °C ± {} K ({})", "温度为 {}；允许 {} °C ± {} K（{}）"),
    ("{} is not about {} meters; its procedure was used all the same", "{} 不适用于 {} 电能表；仍采用其程序"),
    (
        "an inspection in service is no verification and opens no period of validity",
        "使用中检查不是检定，不产生有效期",
    ),
    (
        "no period of validity is known for class {}: the profile {} has none, and no laboratory gave one ({})",
        "{} 级无已知有效期：规程数据 {} 未给出，机构亦未给定（{}）",
    ),
    ("the evidence does not suffice for a verdict", "证据不足，不能作出结论"),
    ("unconfirmed figure: {}", "未确认数据：{}"),
    ("tariff registers: difference for each beyond the first: {}", "费率计度器：每增一个的差值：{}"),
    ("tariff registers: {}", "费率计度器：{}"),
    ("daily rate: {}", "日计时误差：{}"),
    ("basic error: {}", "基本误差：{}"),
    ("constant: {}", "仪表常数：{}"),
    ("conditions: {}", "参比条件：{}"),
    ("tester: {}", "检定装置：{}"),
    ("clock: {}", "时钟：{}"),
    ("creep: {}", "潜动：{}"),
    ("start: {}", "起动：{}"),
    ("decision rule: {}", "判定规则：{}"),
    ("load point: {}", "负载点：{}"),
    ("class {}: limit at {}", "{} 级限值：{}"),
    ("class {}: {}", "{} 级：{}"),
    ("item {} at {}", "项目 {}：{}"),
    ("{} ({}, clause not seen)", "{}（{}，未见条款）"),
    ("{}, clause not seen", "{}，未见条款"),
    ("rule of this house", "本程序的规定"),
    ("operator's entry", "操作员录入"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_record_is_said_in_chinese_and_what_differs_stays() {
        for (english, zh) in [
            ("repeatability", "重复性"),
            ("0.0200 % by certificate DLdn2026-00001", "0.0200 %，证书 DLdn2026-00001"),
            (
                "±0.0044 %: 0.005 % a year, 320 days since 2026-01-05",
                "±0.0044 %：每年 0.005 %，320 天，自 2026-01-05 起",
            ),
            (
                "unconfirmed figure: start: readings: 2 (JJG 1, clause not seen)",
                "未确认数据：起动：readings: 2（JJG 1，未见条款）",
            ),
            ("|0.3| ≤ 1.0", "|0.3| ≤ 1.0"),
            ("", ""),
            ("a remark of a person", "a remark of a person"),
        ] {
            assert_eq!(said(english), Words::new(zh, english));
        }
    }

    #[test]
    fn each_pattern_has_as_many_places_in_both_languages_and_is_reached() {
        for (english, zh) in SAID.iter().chain(SPOKEN) {
            assert_eq!(english.matches("{}").count(), zh.matches("{}").count(), "{english}");
            assert_ne!(chinese(&english.replace("{}", "7"), SPOKEN), english.replace("{}", "7"), "{english}");
        }
    }
}
