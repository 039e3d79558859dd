//! Lineage: what lots are made of, what became of them, and where they were.
//!
//! [`LineageFollower`] writes the links of all admitted events, [`Lineage`] walks them. What does not count is followed
//! too: who looks for contaminated goods must look where a dispute may have taken them. Only what takes them from
//! where they were has to count: an unpacking ends a stay in a unit if it does. Every walk is bounded and says where it
//! was cut.

mod follower;
mod recall;
mod table;
mod walk;

pub use follower::LineageFollower;
pub use recall::{Arrivals, Present, RecallReport};
pub(crate) use table::Claims;
pub use table::How;
pub use walk::{Bounds, Direction, Lineage, Reached, Trace};
