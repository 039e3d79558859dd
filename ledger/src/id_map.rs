//! Maps and sets of ids.
//!
//! Ids are hashes already, so a quick hasher serves; it is seeded anew in every process, so that nobody can choose ids
//! that collide in it.

use std::collections::{HashMap, HashSet};

/// Values by id.
pub(crate) type IdMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Ids.
pub(crate) type IdSet<K> = HashSet<K, foldhash::fast::RandomState>;
