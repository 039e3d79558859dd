//! Points on Earth as integers: no float ever stands in signed bytes.

use super::{ValueError, array_of, checked};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// One degree, in the unit of the coordinates.
const DEGREE: i32 = 10_000_000;

/// An open point is given to 0.01°, about a kilometre, so that a farm is not exposed.
const OPEN_GRID: i32 = DEGREE / 100;

/// A WGS 84 point; latitude and longitude in 1e-7 degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coordinates {
    latitude: i32,
    longitude: i32,
}

impl Coordinates {
    /// A point from 1e-7 degrees; refuses what lies outside ±90° and ±180°.
    pub fn new(latitude_e7: i32, longitude_e7: i32) -> Result<Self, ValueError> {
        if latitude_e7.unsigned_abs() > 90 * DEGREE.unsigned_abs() {
            return Err(ValueError::Latitude(decimal(latitude_e7)));
        }
        if longitude_e7.unsigned_abs() > 180 * DEGREE.unsigned_abs() {
            return Err(ValueError::Longitude(decimal(longitude_e7)));
        }
        Ok(Self { latitude: latitude_e7, longitude: longitude_e7 })
    }

    /// A point from degrees as people and JSON write them.
    pub fn from_degrees(latitude: f64, longitude: f64) -> Result<Self, ValueError> {
        let e7 = |degrees: f64| (degrees * f64::from(DEGREE)).round();
        // Written so that what is no number fails too.
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(ValueError::Latitude(latitude.to_string()));
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(ValueError::Longitude(longitude.to_string()));
        }
        // In range by the checks above: 180e7 fits 32 bits.
        #[allow(clippy::cast_possible_truncation)]
        Self::new(e7(latitude) as i32, e7(longitude) as i32)
    }

    /// Latitude in 1e-7 degree, north positive.
    pub fn latitude_e7(&self) -> i32 {
        self.latitude
    }

    /// Longitude in 1e-7 degree, east positive.
    pub fn longitude_e7(&self) -> i32 {
        self.longitude
    }

    /// Latitude and longitude in degrees, for maps.
    pub fn degrees(&self) -> (f64, f64) {
        (f64::from(self.latitude) / f64::from(DEGREE), f64::from(self.longitude) / f64::from(DEGREE))
    }

    /// The nearest point of the 0.01° grid, which may be shown to anybody.
    #[must_use]
    pub fn to_open(self) -> Self {
        let snap = |v: i32| (v + v.signum() * OPEN_GRID / 2) / OPEN_GRID * OPEN_GRID;
        Self { latitude: snap(self.latitude), longitude: snap(self.longitude) }
    }

    /// Whether the point lies on the 0.01° grid.
    pub fn is_open(&self) -> bool {
        self.latitude % OPEN_GRID == 0 && self.longitude % OPEN_GRID == 0
    }
}

fn decimal(e7: i32) -> String {
    format!(
        "{}{}.{:07}",
        if e7 < 0 { "-" } else { "" },
        e7.unsigned_abs() / DEGREE.unsigned_abs(),
        e7.unsigned_abs() % DEGREE.unsigned_abs()
    )
}

impl serde::Serialize for Coordinates {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let (latitude, longitude) = self.degrees();
        let mut out = serializer.serialize_struct("Coordinates", 2)?;
        out.serialize_field("latitude", &latitude)?;
        out.serialize_field("longitude", &longitude)?;
        out.end()
    }
}

impl<C> Encode<C> for Coordinates {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.i32(self.latitude)?.i32(self.longitude)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Coordinates {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        array_of(d, 2..=2)?;
        checked(Self::new(d.i32()?, d.i32()?), position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poles_and_date_line_are_the_limits() {
        assert!(Coordinates::new(900_000_000, -1_800_000_000).is_ok());
        assert!(Coordinates::new(900_000_001, 0).is_err());
        assert!(Coordinates::new(0, 1_800_000_001).is_err());
        assert!(Coordinates::new(i32::MIN, 0).is_err());
        assert!(Coordinates::from_degrees(91.0, 0.0).is_err());
        assert!(Coordinates::from_degrees(f64::NAN, 0.0).is_err());
    }

    #[test]
    fn open_points_lie_on_the_grid() {
        for (lat, lon) in [(44.123_456, -0.987_654), (-89.999_999, 179.999_999), (0.0, 0.0)] {
            let open = Coordinates::from_degrees(lat, lon).unwrap().to_open();
            assert!(open.is_open());
            assert!((open.degrees().0 - lat).abs() <= 0.005_000_1);
        }
    }
}
