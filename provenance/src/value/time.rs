//! Moments, days and spans, as integers.

use super::{ValueError, array_of, checked};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// Milliseconds since 1970-01-01T00:00:00Z, at most the end of the year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The last millisecond that has a four-digit year.
    const MAX_MS: u64 = 253_402_300_799_999;

    /// Checks the range.
    pub fn new(ms: u64) -> Result<Self, ValueError> {
        if ms > Self::MAX_MS { Err(ValueError::Timestamp(ms)) } else { Ok(Self(ms)) }
    }

    /// Milliseconds since the epoch.
    pub fn ms(&self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let day = Date(i32::try_from(self.0 / 86_400_000).expect("the year has four digits"));
        let ms = self.0 % 86_400_000;
        let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "{day}T{h:02}:{m:02}:{s:02}.{:03}Z", ms % 1000)
    }
}

/// A day of the Gregorian calendar, as days since 1970-01-01 (RFC 8943).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(i32);

impl Date {
    /// 1900-01-01 and 9999-12-31: beyond them a date of produce is a slip of the pen.
    const RANGE: std::ops::RangeInclusive<i32> = -25_567..=2_932_896;

    /// A day by its distance from 1970-01-01.
    pub fn from_days(days: i32) -> Result<Self, ValueError> {
        if Self::RANGE.contains(&days) { Ok(Self(days)) } else { Err(ValueError::Date(format!("day {days}"))) }
    }

    /// Reads `2026-09-30`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let wrong = || ValueError::Date(text.chars().take(32).collect());
        let mut parts = text.split('-');
        let mut number = |len: usize| {
            let part = parts.next().filter(|p| p.len() == len && p.bytes().all(|b| b.is_ascii_digit()))?;
            part.parse::<i32>().ok()
        };
        let (Some(y), Some(m), Some(d)) = (number(4), number(2), number(2)) else { return Err(wrong()) };
        let date = Self(days_from_civil(y, m, d));
        // A day that the month does not have comes back as another one.
        if parts.next().is_some()
            || !(1..=12).contains(&m)
            || date.civil() != (y, m, d)
            || !Self::RANGE.contains(&date.0)
        {
            return Err(wrong());
        }
        Ok(date)
    }

    /// Days since 1970-01-01.
    pub fn days(&self) -> i32 {
        self.0
    }

    /// Year, month, day. H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    fn civil(self) -> (i32, i32, i32) {
        let z = self.0 + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let m = if mp < 10 { mp + 3 } else { mp - 9 };
        (yoe + era * 400 + i32::from(m <= 2), m, doy - (153 * mp + 2) / 5 + 1)
    }
}

fn days_from_civil(y: i32, m: i32, d: i32) -> i32 {
    let y = y - i32::from(m <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (y, m, d) = self.civil();
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

/// From one day to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct DateRange {
    first: Date,
    last: Date,
}

impl DateRange {
    /// Refuses a last day before the first.
    pub fn new(first: Date, last: Date) -> Result<Self, ValueError> {
        if last < first { Err(ValueError::EndBeforeStart) } else { Ok(Self { first, last }) }
    }

    /// The first day.
    pub fn first(&self) -> Date {
        self.first
    }

    /// The last day.
    pub fn last(&self) -> Date {
        self.last
    }
}

/// When that of which an event tells took place, with the local offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Occurred {
    start: Timestamp,
    end: Option<Timestamp>,
    utc_offset_minutes: i16,
}

impl Occurred {
    /// Refuses an end before the start and offsets beyond 14 hours.
    pub fn new(start: Timestamp, end: Option<Timestamp>, utc_offset_minutes: i16) -> Result<Self, ValueError> {
        if end.is_some_and(|end| end < start) {
            return Err(ValueError::EndBeforeStart);
        }
        if utc_offset_minutes.unsigned_abs() > 14 * 60 {
            return Err(ValueError::UtcOffset(utc_offset_minutes));
        }
        Ok(Self { start, end, utc_offset_minutes })
    }

    /// When it began.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// When it ended, if it lasted.
    pub fn end(&self) -> Option<Timestamp> {
        self.end
    }

    /// Minutes east of UTC.
    pub fn utc_offset_minutes(&self) -> i16 {
        self.utc_offset_minutes
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl serde::Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<C> Encode<C> for Timestamp {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u64(self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Timestamp {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        checked(Self::new(d.u64()?), position)
    }
}

impl<C> Encode<C> for Date {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.i32(self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Date {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        checked(Self::from_days(d.i32()?), position)
    }
}

impl<C> Encode<C> for DateRange {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?;
        self.first.encode(e, ctx)?;
        self.last.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for DateRange {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        array_of(d, 2..=2)?;
        checked(Self::new(d.decode_with(ctx)?, d.decode_with(ctx)?), position)
    }
}

impl<C> Encode<C> for Occurred {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(3)?;
        self.start.encode(e, ctx)?;
        match self.end {
            Some(end) => end.encode(e, ctx)?,
            None => e.null()?.ok()?,
        }
        e.i16(self.utc_offset_minutes)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Occurred {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        array_of(d, 3..=3)?;
        let (start, end, offset) = (d.decode_with(ctx)?, d.decode_with(ctx)?, d.i16()?);
        checked(Self::new(start, end, offset), position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_the_gregorian_one() {
        for text in ["1970-01-01", "2024-02-29", "2026-11-21", "1900-01-01", "9999-12-31"] {
            assert_eq!(Date::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["2025-02-29", "2026-13-01", "2026-1-1", "26-01-01", "2026-01-01-01", "1899-12-31", "+026-01-01"] {
            assert!(Date::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Date::parse("2026-11-21").unwrap().days(), 20_778);
        assert_eq!(Timestamp::new(1_000_000_000_123).unwrap().to_string(), "2001-09-09T01:46:40.123Z");
    }
}
