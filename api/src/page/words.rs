//! Values as people read them: dates, quantities, prices, grades, chains.

use provenance::body::{RecallAction, RecallLevel, TemperatureLimits};
use provenance::seal::Sealable;
use provenance::value::{Date, DateRange, Grade, Measure, Occurred, Price, Quantity, Timestamp};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Minutes of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// `28 September 2026`.
pub(super) fn day(date: Date) -> String {
    let (year, month, day) = parts(date);
    format!("{day} {month} {year}")
}

/// `12–18 September 2026`, or as much of both days as differs.
pub(super) fn days(range: DateRange) -> String {
    let ((first_year, first_month, first_day), (year, month, _)) = (parts(range.first()), parts(range.last()));
    if range.first() == range.last() {
        day(range.first())
    } else if (&first_year, first_month) == (&year, month) {
        format!("{first_day}–{}", day(range.last()))
    } else if first_year == year {
        format!("{first_day} {first_month} – {}", day(range.last()))
    } else {
        format!("{} – {}", day(range.first()), day(range.last()))
    }
}

/// When it took place, in the local time that was told; else when it was signed, in UTC.
pub(super) fn when(signed: Timestamp, occurred: Option<Occurred>) -> String {
    match occurred {
        None => format!("{} UTC", moment(signed.ms())),
        Some(occurred) => {
            let local = occurred.start().ms().saturating_add_signed(i64::from(occurred.utc_offset_minutes()) * 60_000);
            moment(local)
        }
    }
}

/// `0.012 mg/kg`; degrees Celsius, whose code is that of UN/ECE recommendation 20, as people write them.
pub(super) fn measure(measure: &Measure) -> String {
    let unit = if measure.unit() == "CEL" { "°C" } else { measure.unit() };
    format!("{} {unit}", measure.decimal())
}

/// What a recall is called that was issued by somebody who has nothing to do with the goods any more.
pub(super) const WARNING: &str = "A warning by somebody who held it once";

/// What a recall is called.
pub(super) fn recalled(level: RecallLevel) -> &'static str {
    match level {
        RecallLevel::Public => "Recalled: do not eat or use it",
        RecallLevel::Trade => "Recalled from the trade",
        RecallLevel::Information => "A warning was issued",
    }
}

/// What whoever has the goods is to do.
pub(super) fn advice(action: RecallAction) -> &'static str {
    match action {
        RecallAction::Hold => "Keep it apart, and do not use it until the recall has ended.",
        RecallAction::Return => "Take it back to where you got it.",
        RecallAction::Destroy => "Throw it away so that nobody eats it.",
        RecallAction::Inform => "Tell those to whom you gave of it.",
    }
}

/// `28 September 2026, 08:15`.
pub(super) fn moment(ms: u64) -> String {
    let date = i32::try_from(ms / DAY_MS).ok().and_then(|days| Date::from_days(days).ok());
    let (hour, minute) = (ms % DAY_MS / 3_600_000, ms % 3_600_000 / 60_000);
    date.map_or_else(|| "unknown".to_owned(), |date| format!("{}, {hour:02}:{minute:02}", day(date)))
}

/// `1250.5 kg in 100 packages`.
pub(super) fn quantity(quantity: &Quantity) -> String {
    let unit = match quantity.unit().as_str() {
        "KGM" => "kg".to_owned(),
        "GRM" => "g".to_owned(),
        "TNE" => "t".to_owned(),
        "LTR" => "litres".to_owned(),
        "H87" => "pieces".to_owned(),
        code => code.to_owned(),
    };
    let net = match (quantity.decimal().as_str(), quantity.unit().as_str()) {
        ("1", "EA") => "1 unit".to_owned(),
        (decimal, _) => format!("{decimal} {unit}"),
    };
    match quantity.packages() {
        None | Some(0) => net,
        Some(1) => format!("{net} in one package"),
        Some(packages) => format!("{net} in {packages} packages"),
    }
}

/// `1.5 to 4 °C`.
pub(super) fn temperature(limits: TemperatureLimits) -> String {
    let degrees = |centi: i16| {
        let (sign, centi) = (if centi < 0 { "−" } else { "" }, centi.unsigned_abs());
        let text = format!("{sign}{}.{:02}", centi / 100, centi % 100);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    format!("{} to {} °C", degrees(limits.min_centicelsius), degrees(limits.max_centicelsius))
}

/// A text with a capital letter at its beginning.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `A`, or with the scheme where it is not the default one.
pub(super) fn grade(grade: &Grade) -> String {
    if grade.scheme() == "furrow" {
        grade.value().to_owned()
    } else {
        format!("{} ({})", grade.value(), grade.scheme())
    }
}

/// `2.50 EUR per kg`; a sealed price is said to be that.
pub(super) fn price(price: &Sealable<Price>) -> String {
    let Some(price) = price.open() else { return "a price that is not published".to_owned() };
    let currency = price.money.currency();
    let decimals = decimals(currency.as_str());
    let digits = format!("{:0>width$}", price.money.amount_minor(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let amount = if decimals == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") };
    let per = price.per.map(|unit| match unit.as_str() {
        "KGM" => " per kg".to_owned(),
        "TNE" => " per tonne".to_owned(),
        "LTR" => " per litre".to_owned(),
        "H87" => " per piece".to_owned(),
        code => format!(" per {code}"),
    });
    format!("{amount} {}{}", currency.as_str(), per.unwrap_or_default())
}

/// The chain's name, and whether strangers can look it up.
pub(super) fn chain(id: u64) -> (String, bool) {
    match id {
        1 => ("Ethereum".to_owned(), true),
        10 => ("OP Mainnet".to_owned(), true),
        100 => ("Gnosis Chain".to_owned(), true),
        137 => ("Polygon".to_owned(), true),
        8453 => ("Base".to_owned(), true),
        42161 => ("Arbitrum One".to_owned(), true),
        17000 | 560_048 | 11_155_111 => (format!("Ethereum test network {id}"), false),
        1337 | 31337 => ("A development chain on this node's own network".to_owned(), false),
        id => (format!("Chain {id}"), true),
    }
}

/// How many digits stand behind the point of the major unit (ISO 4217).
fn decimals(currency: &str) -> usize {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
        | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "ETH" => 18,
        _ => 2,
    }
}

fn parts(date: Date) -> (String, &'static str, String) {
    let text = date.to_string();
    let mut parts = text.split('-');
    let mut next = || parts.next().unwrap_or_default();
    let (year, month, day) = (next().to_owned(), next(), next());
    let month =
        month.parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1))).copied().unwrap_or_default();
    (year, month, day.trim_start_matches('0').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use provenance::value::{Currency, Money, Unit};

    #[test]
    fn values_read_well() {
        let date = |text| Date::parse(text).unwrap();
        let range = |first, last| days(DateRange::new(date(first), date(last)).unwrap());
        assert_eq!(range("2026-09-08", "2026-09-18"), "8–18 September 2026");
        assert_eq!(range("2026-09-28", "2026-10-02"), "28 September – 2 October 2026");
        assert_eq!(range("2026-12-28", "2027-01-02"), "28 December 2026 – 2 January 2027");
        assert_eq!(range("2026-09-08", "2026-09-08"), "8 September 2026");
        let kilos = Quantity::parse("1250.5", Unit::new("KGM").unwrap(), Some(100)).unwrap();
        assert_eq!(quantity(&kilos), "1250.5 kg in 100 packages");
        let limits = TemperatureLimits { min_centicelsius: -150, max_centicelsius: 400 };
        assert_eq!((temperature(limits).as_str(), capitalised("über").as_str()), ("−1.5 to 4 °C", "Über"));
        let amount = |minor, currency: &str, per: Option<&str>| {
            let money = Money::new(minor, Currency::new(currency).unwrap()).unwrap();
            price(&Sealable::Open(Price { money, per: per.map(|unit| Unit::new(unit).unwrap()) }))
        };
        assert_eq!(amount(250, "EUR", Some("KGM")), "2.50 EUR per kg");
        assert_eq!(amount(5, "EUR", None), "0.05 EUR");
        assert_eq!(amount(1200, "JPY", None), "1200 JPY");
        assert_eq!(amount(1_000_000_000_000_000, "ETH", None), "0.001000000000000000 ETH");
    }

    #[test]
    fn local_time_is_shown_where_it_was_told() {
        let at = |ms| Timestamp::new(ms).unwrap();
        assert_eq!(when(at(1_000_000_000_000), None), "9 September 2001, 01:46 UTC");
        let occurred = Occurred::new(at(1_000_000_000_000), None, -120).unwrap();
        assert_eq!(when(at(1_000_000_500_000), Some(occurred)), "8 September 2001, 23:46");
    }
}
