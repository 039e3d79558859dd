//! The commands, one file each.

pub(crate) mod actor;
pub(crate) mod anchor;
pub(crate) mod backup;
pub(crate) mod bundle;
pub(crate) mod contract;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod event;
pub(crate) mod goods;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod log;
pub(crate) mod network;
pub(crate) mod opening;
pub(crate) mod place;
pub(crate) mod produce;
pub(crate) mod recall_report;
pub(crate) mod run;
pub(crate) mod signing;
pub(crate) mod status;
pub(crate) mod trace;
pub(crate) mod transfer;
pub(crate) mod unit;
pub(crate) mod verify;
