//! Percentages as integers in basis points, and the one way of dividing.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A percentage from 0 to 100 % in basis points (hundredths of a percent). On the wire a number from 0 to
/// 100 with at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percent(u16);

/// The number is not a percentage with at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a percentage is a number from 0 to 100 with at most two decimals")]
pub struct PercentError;

impl Percent {
    /// 0 %.
    pub const ZERO: Self = Self(0);
    /// 50 %: what a missing component counts under the `neutral` policy.
    pub const HALF: Self = Self(5_000);
    /// 100 %.
    pub const FULL: Self = Self(10_000);

    /// From basis points, 0 to 10,000.
    pub const fn from_basis_points(basis_points: u16) -> Result<Self, PercentError> {
        if basis_points <= 10_000 { Ok(Self(basis_points)) } else { Err(PercentError) }
    }

    /// From whole percents; more than 100 counts as 100.
    pub const fn whole(percents: u8) -> Self {
        Self(if percents > 100 { 10_000 } else { percents as u16 * 100 })
    }

    /// From a number as it comes over the wire.
    pub fn from_number(number: f64) -> Result<Self, PercentError> {
        let scaled = number * 100.0;
        let rounded = scaled.round();
        if !(0.0..=10_000.0).contains(&rounded) || (scaled - rounded).abs() > 1e-6 {
            return Err(PercentError);
        }
        Ok(Self(rounded as u16))
    }

    /// `numerator / denominator`, divided once and rounded half up; above 1 counts as 100 %, 0/0 is nothing.
    pub fn ratio(numerator: u128, denominator: u128) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        if numerator >= denominator {
            return Some(Self::FULL);
        }
        u16::try_from(round_half_up(numerator * 10_000, denominator)).ok().map(Self)
    }

    /// The value in basis points, 0 to 10,000.
    pub const fn basis_points(self) -> u16 {
        self.0
    }

    /// The whole percent that is shown and that decides the band: rounded half up, so 75.50 is 76 and 75.49
    /// is 75.
    pub const fn shown(self) -> u8 {
        ((self.0 + 50) / 100) as u8
    }

    /// The value as the wire's number.
    pub fn as_number(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// `numerator / denominator` rounded half up. The denominator must not be 0; 0 counts as 1.
pub const fn round_half_up(numerator: u128, denominator: u128) -> u128 {
    let denominator = if denominator == 0 { 1 } else { denominator };
    (2 * numerator + denominator) / (2 * denominator)
}

/// Cuts `Σ parts / denominator`, rounded half up, into pieces that add up to it to the basis point: running totals
/// are rounded, and each piece is what its part adds. A part that is nothing gets nothing.
pub fn cut<const N: usize>(parts: [Option<u128>; N], denominator: u128) -> [Option<Percent>; N] {
    let (mut sum, mut before) = (0, 0);
    parts.map(|part| {
        sum += part?;
        let after = round_half_up(sum, denominator);
        let piece = after - before;
        before = after;
        u16::try_from(piece).ok().and_then(|piece| Percent::from_basis_points(piece).ok())
    })
}

/// A signed difference of percentages in basis points. On the wire a number of percentage points with at most two
/// decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Points(i32);

impl Points {
    /// From basis points.
    pub const fn from_basis_points(basis_points: i32) -> Self {
        Self(basis_points)
    }

    /// What leads from one percentage to another.
    pub const fn between(from: Percent, to: Percent) -> Self {
        Self(to.0 as i32 - from.0 as i32)
    }

    /// The value in basis points.
    pub const fn basis_points(self) -> i32 {
        self.0
    }
}

impl schemars::JsonSchema for Points {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Points".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "number",
            "minimum": -100,
            "maximum": 100,
            "description": "Percentage points, with at most two decimals.",
        })
    }
}

impl schemars::JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "number",
            "minimum": 0,
            "maximum": 100,
            "description": "A percentage with at most two decimals.",
        })
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 100 == 0 {
            serializer.serialize_i32(self.0 / 100)
        } else {
            serializer.serialize_f64(f64::from(self.0) / 100.0)
        }
    }
}

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02} %", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(100) {
            serializer.serialize_u16(self.0 / 100)
        } else {
            serializer.serialize_f64(self.as_number())
        }
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_number(f64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_up_to_the_whole_percent_that_is_shown() {
        assert_eq!(Percent(7_550).shown(), 76);
        assert_eq!(Percent(7_549).shown(), 75);
        assert_eq!(Percent(0).shown(), 0);
        assert_eq!(Percent(10_000).shown(), 100);
    }

    #[test]
    fn divides_once() {
        assert_eq!(Percent::ratio(1, 3), Some(Percent(3_333)));
        assert_eq!(Percent::ratio(2, 3), Some(Percent(6_667)));
        assert_eq!(Percent::ratio(1, 20_000), Some(Percent(1)));
        assert_eq!(Percent::ratio(5, 4), Some(Percent::FULL));
        assert_eq!(Percent::ratio(0, 0), None);
    }

    #[test]
    fn the_wire_has_two_decimals_at_most() {
        assert_eq!(serde_json::to_string(&Percent(3_333)).unwrap(), "33.33");
        assert_eq!(serde_json::to_string(&Percent(5_000)).unwrap(), "50");
        assert_eq!(serde_json::from_str::<Percent>("33.33").unwrap(), Percent(3_333));
        assert!(serde_json::from_str::<Percent>("33.333").is_err());
        assert!(serde_json::from_str::<Percent>("100.01").is_err());
        assert!(serde_json::from_str::<Percent>("-1").is_err());
        let wire = |basis_points| serde_json::to_string(&Points(basis_points)).unwrap();
        assert_eq!([-1_400, -1_433, -5, 0, 90].map(wire), ["-14", "-14.33", "-0.05", "0", "0.9"]);
    }

    #[test]
    fn pieces_add_up_to_the_rounded_whole() {
        assert_eq!(
            cut([Some(1), None, Some(1), Some(1)], 2),
            [Some(Percent(1)), None, Some(Percent(0)), Some(Percent(1))]
        );
        assert_eq!(cut([None, None], 0), [None, None]);
    }
}
