//! The demonstration: three nodes on this machine live through a harvest.

mod people;
mod report;
mod scene;
mod stage;
mod story;

pub(crate) use report::Report;
pub(crate) use scene::{Scene, SceneError};
pub(crate) use stage::Stage;
pub(crate) use story::{Props, Told, tell};
