//! Swift's time: the stamp on every write, and the three ways it is written.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment in units of ten microseconds since 1970, which is all that Swift keeps of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(u64);

const PER_SECOND: u64 = 100_000;

impl Timestamp {
    /// Earlier than every other.
    pub(crate) const EARLIEST: Self = Self(0);
    /// Later than every other.
    pub(crate) const LATEST: Self = Self(u64::MAX);

    pub(crate) const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(PER_SECOND))
    }

    fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_micros() / 10).unwrap_or(u64::MAX))
    }

    pub(crate) fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_micros() / 10).unwrap_or(u64::MAX)))
    }

    pub(crate) fn before(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(time.as_micros() / 10).unwrap_or(u64::MAX)))
    }

    /// Whole seconds that have gone by.
    pub(crate) fn seconds(self) -> u64 {
        self.0 / PER_SECOND
    }

    /// Whole seconds, rounded up: Swift never lets `Last-Modified` be earlier than the write.
    pub(crate) fn seconds_rounded_up(self) -> u64 {
        self.0.div_ceil(PER_SECOND)
    }

    /// The whole second that this is in, as in Keystone's tokens.
    pub(crate) fn rounded_down(self) -> Self {
        Self::from_seconds(self.seconds())
    }

    /// As in `X-Timestamp`: `1795464000.12345`.
    pub(crate) fn as_decimal(self) -> String {
        format!("{}.{:05}", self.seconds(), self.0 % PER_SECOND)
    }

    /// As in `Last-Modified`.
    pub(crate) fn as_http_date(self) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(self.seconds_rounded_up()))
    }

    /// As in a listing: `2026-11-23T20:00:00.123450`, in UTC without saying so.
    pub(crate) fn as_iso(self) -> String {
        let micros = i64::try_from(self.0.saturating_mul(10)).unwrap_or(i64::MAX);
        jiff::Timestamp::from_microsecond(micros)
            .unwrap_or(jiff::Timestamp::MAX)
            .strftime("%Y-%m-%dT%H:%M:%S%.6f")
            .to_string()
    }

    /// As in a listing of Ceph's: `2026-11-23T20:00:00.123Z`.
    pub(crate) fn as_iso_in_millis(self) -> String {
        let text = self.as_iso();
        format!("{}Z", text.get(..23).unwrap_or(&text))
    }

    /// As in a static large object's manifest, where the moment was read from a `Last-Modified`.
    pub(crate) fn as_iso_rounded_up(self) -> String {
        Self::from_seconds(self.seconds_rounded_up()).as_iso()
    }
}

/// Gives every write a stamp of its own, later than all before it.
#[derive(Debug)]
pub(crate) struct Clock {
    last: Timestamp,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { last: Timestamp::now() }
    }

    pub(crate) fn tick(&mut self) -> Timestamp {
        self.last = Timestamp::now().max(Timestamp(self.last.0 + 1));
        self.last
    }

    /// The present, for what expires.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now().max(self.last)
    }
}

#[cfg(test)]
mod tests;
