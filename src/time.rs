//! Time: [`Instant`] and [`Span`] for measuring, [`Stamp`] for saying when. The only file that asks a clock.

use crate::quantity::{Energy, Power};
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Add, Mul, Sub};
use std::str::FromStr;
use std::sync::OnceLock;

/// A point on the monotonic clock of this run, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(i64);

/// A length of time, in nanoseconds; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

impl Instant {
    /// The beginning of the clock.
    pub const ZERO: Self = Self(0);

    /// From nanoseconds since the beginning of the clock.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the beginning of the clock.
    pub const fn nanos(self) -> i64 {
        self.0
    }
}

impl Span {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000_000)
    }

    /// From whole seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1_000_000_000)
    }

    /// From seconds, rounded to the nanosecond; saturates at about 292 years.
    pub fn from_secs_f64(secs: f64) -> Self {
        Self(rounded(secs * 1e9))
    }

    /// Nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Seconds.
    pub fn secs(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Half of it.
    #[must_use]
    pub const fn half(self) -> Self {
        Self(self.0 / 2)
    }

    /// For the standard library's waits; a negative span is no wait. At the [pace](hasten) of this program's clock.
    pub fn to_std(self) -> std::time::Duration {
        let real = if PACE.get().is_some() { self * (1.0 / pace()) } else { self };
        std::time::Duration::from_nanos(u64::try_from(real.0).unwrap_or(0))
    }
}

/// The earliest of what there is. The slice is looked at where it stands: to move an array that was just written makes the
/// processor wait for it, and a run asks some hundred thousand times.
pub fn earliest(moments: &[Option<Instant>]) -> Option<Instant> {
    moments.iter().flatten().min().copied()
}

/// `x.round() as i64`, which on processors without an instruction for it is a call; a run asks it some hundred thousand
/// times.
fn rounded(x: f64) -> i64 {
    let whole = x as i64;
    // What is cut off is exact; beyond the whole numbers of an `f64` there is none, and at the ends it saturates.
    let cut = x - whole as f64;
    whole.saturating_add(i64::from(cut >= 0.5)).saturating_sub(i64::from(cut <= -0.5))
}

impl From<std::time::Duration> for Span {
    fn from(duration: std::time::Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl Add<Span> for Instant {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}
impl Sub<Span> for Instant {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}
impl Sub for Instant {
    type Output = Span;
    fn sub(self, other: Self) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}
impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
impl Mul<f64> for Span {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self(rounded(self.0 as f64 * factor))
    }
}
impl Mul<u32> for Span {
    type Output = Self;
    fn mul(self, times: u32) -> Self {
        Self(self.0.saturating_mul(i64::from(times)))
    }
}
impl std::iter::Sum for Span {
    fn sum<I: Iterator<Item = Self>>(spans: I) -> Self {
        spans.fold(Self::ZERO, Add::add)
    }
}
impl Mul<Span> for Power {
    type Output = Energy;
    fn mul(self, span: Span) -> Energy {
        Energy::from_joules(self.watts() * span.secs())
    }
}

impl fmt::Display for Span {
    /// `1 min 05.2 s` or `5.2 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.secs() * 10.0).round() as i64;
        let (minutes, rest) = (tenths / 600, (tenths % 600).abs());
        if minutes == 0 {
            write!(f, "{:.1} s", tenths as f64 / 10.0)
        } else {
            write!(f, "{minutes} min {:04.1} s", rest as f64 / 10.0)
        }
    }
}

/// A date and hour with its offset from UTC: what is written on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    at: Timestamp,
    offset: Offset,
}

/// A text that is no date and hour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{seen}` is no date and hour; write it like 2026-11-20T10:02:00.123+08:00")]
pub struct NoStamp {
    seen: String,
}

impl Stamp {
    /// The wall clock now, in the zone of this machine, to the millisecond that its text carries: what is computed
    /// from a stamp must come out the same when the stamp is read again.
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    pub fn now() -> Self {
        let now = Zoned::now();
        let at = Timestamp::from_millisecond(now.timestamp().as_millisecond()).unwrap_or(now.timestamp());
        Self { at, offset: now.offset() }
    }

    /// The stamp `span` later (or earlier), same offset.
    #[must_use]
    pub fn after(self, span: Span) -> Self {
        Self {
            at: self.at.saturating_add(SignedDuration::from_nanos(span.nanos())).unwrap_or(self.at),
            offset: self.offset,
        }
    }

    /// The date and hour a local clock shows.
    pub fn civil(self) -> DateTime {
        self.offset.to_datetime(self.at)
    }

    /// How far its local time is ahead of UTC, in minutes.
    pub fn offset_minutes(self) -> i32 {
        self.offset.seconds() / 60
    }

    /// The local date.
    pub fn date(self) -> Date {
        self.civil().date()
    }

    /// The same moment without its offset.
    pub fn timestamp(self) -> Timestamp {
        self.at
    }

    /// The stamp at which a clock in this stamp's offset shows `civil`.
    pub fn with_civil(self, civil: DateTime) -> Option<Self> {
        Some(Self { at: self.offset.to_timestamp(civil).ok()?, offset: self.offset })
    }

    /// How much later than `other` this is.
    pub fn since(self, other: Self) -> Span {
        Span::from_nanos(i64::try_from(self.at.duration_since(other.at).as_nanos()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Stamp {
    /// ISO 8601 with milliseconds and offset: `2026-11-20T10:02:00.123+08:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zoned = self.at.to_zoned(TimeZone::fixed(self.offset));
        write!(f, "{}", zoned.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z"))
    }
}

impl FromStr for Stamp {
    type Err = NoStamp;
    fn from_str(text: &str) -> Result<Self, NoStamp> {
        let no_stamp = || NoStamp { seen: text.to_owned() };
        let at = text.parse().map_err(|_| no_stamp())?;
        let pieces = jiff::fmt::temporal::Pieces::parse(text).map_err(|_| no_stamp())?;
        Ok(Self { at, offset: pieces.to_numeric_offset().ok_or_else(no_stamp)? })
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The monotonic clock now, counted from the first time this program asked.
pub fn now() -> Instant {
    let real = real_now();
    PACE.get().map_or(real, |pace| pace.began + (real - pace.began) * pace.factor)
}

#[expect(clippy::disallowed_methods, reason = "the one place")]
fn real_now() -> Instant {
    static START: OnceLock<std::time::Instant> = OnceLock::new();
    Instant::ZERO + Span::from(START.get_or_init(std::time::Instant::now).elapsed())
}

/// How the clock of this program runs since it was hastened.
struct Pace {
    began: Instant,
    factor: f64,
}

static PACE: OnceLock<Pace> = OnceLock::new();

/// From now on the clock of this program runs `factor` times as fast, and all its waits are so much shorter: for a stand-in in
/// another program that is hastened likewise, and never for a real bench. Stamps still show the day's time. Holds until
/// the program's end; false where it was hastened before by another factor.
pub fn hasten(factor: f64) -> bool {
    factor == 1.0 && PACE.get().is_none()
        || PACE.get_or_init(|| Pace { began: real_now(), factor }).factor == factor
}

/// How many times as fast as the day's the clock of this program runs; see [`hasten`].
pub fn pace() -> f64 {
    PACE.get().map_or(1.0, |pace| pace.factor)
}

/// Our clock minus the kernel's own count of the same clock (`CLOCK_MONOTONIC`, nanoseconds since boot), which stamps
/// GPIO edges. Both run at one rate, NTP's slewing of it in both; the narrowest of several looks is taken, well below a
/// microsecond. `None` where the kernel has no such clock.
pub fn since_boot() -> Option<Span> {
    use nix::time::{ClockId, clock_gettime};
    let looks = (0..16).filter_map(|_| {
        let before = now();
        let kernel = clock_gettime(ClockId::CLOCK_MONOTONIC).ok()?;
        let after = now();
        let nanos = kernel.tv_sec().checked_mul(1_000_000_000)?.checked_add(kernel.tv_nsec())?;
        let width = after - before;
        Some((width, before + width.half() - Instant::from_nanos(nanos)))
    });
    looks.min_by_key(|(width, _)| *width).map(|(_, ahead)| ahead)
}

/// The time that the processor has worked for this program so far, on all cores together: what other programs take does not
/// count. None where the kernel does not say.
pub fn processor() -> Option<Span> {
    use nix::time::{ClockId, clock_gettime};
    let worked = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).ok()?;
    Some(Span::from_nanos(worked.tv_sec().checked_mul(1_000_000_000)?.checked_add(worked.tv_nsec())?))
}

/// Let this thread rest.
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn sleep(span: Span) {
    std::thread::sleep(span.to_std());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_rounded_as_the_standard_library_does() {
        let near = |x: f64| [x.next_down(), x, x.next_up()];
        let halves = [0.0, 0.5, 1.0, 1.5, 2.5, 1e9 + 0.5, 4_503_599_627_370_495.5, 9_007_199_254_740_993.0];
        let ends = [9.3e18, 1e300, f64::INFINITY, f64::NAN, i64::MAX as f64, i64::MIN as f64, 1e-310];
        for x in halves.into_iter().chain(ends).flat_map(near).flat_map(|x| [x, -x]) {
            assert_eq!(rounded(x), x.round() as i64, "{x:e}");
        }
    }

    #[test]
    fn a_stamp_survives_its_own_text() {
        let text = "2026-11-20T10:02:00.123+08:00";
        let stamp: Stamp = text.parse().unwrap();
        assert_eq!(stamp.to_string(), text);
        assert_eq!(stamp.after(Span::from_millis(877)).to_string(), "2026-11-20T10:02:01.000+08:00");
        assert_eq!(stamp.after(Span::from_secs(90)).since(stamp), Span::from_secs(90));
        assert!("yesterday".parse::<Stamp>().is_err());
        let now = Stamp::now();
        assert_eq!(now.to_string().parse::<Stamp>().unwrap(), now);
    }

    #[test]
    fn power_through_time_is_energy() {
        assert_eq!((Power::from_kilowatts(3.6) * Span::from_secs(1000)).kilowatt_hours(), 1.0);
    }

    #[test]
    fn the_kernels_clock_is_ours_by_a_constant() {
        let (first, second) = (since_boot().unwrap(), since_boot().unwrap());
        assert!((first - second).nanos().abs() < 1_000_000, "{first:?} {second:?}");
    }

    #[test]
    fn spans_read_like_a_stopwatch() {
        assert_eq!(Span::from_millis(5_240).to_string(), "5.2 s");
        assert_eq!(Span::from_millis(65_200).to_string(), "1 min 05.2 s");
        assert_eq!(Span::from_millis(59_960).to_string(), "1 min 00.0 s");
    }
}
