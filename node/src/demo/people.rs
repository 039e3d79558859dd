//! Who takes part in the demonstration, beside the farmers of its harvest file.

/// A node and the cooperative that runs it.
pub(super) struct House {
    /// Short name, also of its folder.
    pub(super) name: &'static str,
    /// What it is called.
    pub(super) title: &'static str,
}

/// Who grows. Its node takes in the harvest.
pub(super) const GROWERS: House = House { name: "elbe", title: "Altes Land Growers, Jork" };
/// Who trades between.
pub(super) const TRADERS: House = House { name: "alster", title: "Alster Fruit Trade, Hamburg" };
/// Who sells to consumers. Its node sees none of it being made.
pub(super) const SHOPS: House = House { name: "weser", title: "Weser Market Halls, Bremen" };

/// All nodes, in the order in which they start.
pub(super) const HOUSES: [House; 3] = [GROWERS, TRADERS, SHOPS];

/// The trader whose key the second node keeps.
pub(super) const TRADER: &str = "Hafenfrucht Handel";
/// The shop whose key the third node keeps.
pub(super) const SHOP: &str = "Marktstand am Domshof";

/// The place where the harvest is sorted: name, latitude, longitude.
pub(super) const PACKING_HOUSE: (&str, &str) = ("Packhaus Jork", "53.5333,9.6917");
/// The wholesale market.
pub(super) const WHOLESALE_MARKET: (&str, &str) = ("Großmarkt Hamburg", "53.5453,10.0228");
/// The stall.
pub(super) const MARKET_STALL: (&str, &str) = ("Domshof, Bremen", "53.0767,8.8086");

/// Rows of the harvest that play a part, by their key.
pub(super) mod rows {
    /// Handed over whole, and then in part again.
    pub(in crate::demo) const TRAVELS: &str = "AL26-001";
    /// Handed over in part: this one is verified.
    pub(in crate::demo) const DIVIDED: &str = "AL26-008";
    /// Offered and refused.
    pub(in crate::demo) const REFUSED: &str = "AL26-016";
    /// Offered and taken back.
    pub(in crate::demo) const WITHDRAWN: &str = "AL26-022";
}
