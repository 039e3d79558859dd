//! The running node: every part opened in its order, watched, and stopped in the reverse order.

mod anchor_book;
mod anchor_view;
mod health;
mod kept_versions;
mod keyring;
mod log_key;
mod logging;
mod peer_view;
mod roll;
mod snapshots;
mod start;
mod stop;

#[cfg(test)]
pub(crate) use log_key::LogKey;
pub(crate) use logging::init as init_logging;
pub(crate) use snapshots::{remove_all as remove_snapshots, take as take_snapshot};
pub(crate) use start::{Ready, StartError, followers, start};
pub(crate) use stop::asked_to_stop;
