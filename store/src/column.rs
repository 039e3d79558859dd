//! The columns: every sort of row that is on the disk, and how `RocksDB` keeps it.

use rocksdb::{
    BlockBasedOptions, Cache, DBCompactionStyle, DBCompressionType, Options, SliceTransform, UniversalCompactOptions,
};

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident $text:literal $shape:ident;)*) => {
        /// A column family. Its doc says what a row's key and value are; integers are big-endian,
        /// `‖` joins bytes, "text" is UTF-8 with 00 written as 00 ff and closed by 00 00.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Column {
            $($(#[$doc])* $name,)*
        }

        impl Column {
            /// Every column.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name on the disk, which never changes.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            const fn shape(self) -> Shape {
                match self {
                    $(Self::$name => Shape::$shape,)*
                }
            }
        }
    };
}

columns! {
    /// What is true of the whole store. Text → bytes: `schema` → u32, `network` → 32-byte network
    /// id; `restored` and `unconfirmed` → what a restored node has still to find out, as the ledger writes it; whatever begins
    /// with `node/` belongs to the node.
    Meta "meta" Small;
    /// The log, leaf 0 being the network id. u64 index → 32-byte event id.
    Log "log" Numbered;
    /// The events of the log, beginning with 1. u64 index → CBOR `[signed bytes, judgement]`, the latter as the ledger
    /// writes it.
    Entries "entries" Numbered;
    /// Where events that were judged stand in the log. Event id → CBOR index, or null for a void event.
    Indexes "indexes" Points;
    /// Void events, which are kept only as links of their signers' journals. Event id → CBOR `[signed bytes, judgement]`.
    Voids "voids" Documents;
    /// The Merkle tree's hashes as in C2SP tlog-tiles. u8 level ‖ u64 tile → up to 256 hashes of 32
    /// bytes; the last tile of a level is partial and is written again as it grows.
    Tiles "tiles" Numbered;
    /// What created a subject. Subject id → CBOR `[event id, index of the touch]`.
    Subjects "subjects" Points;
    /// Every admitted event of a lane, lowest first. Subject id ‖ lane (00 main, 01 title, 02 ‖
    /// actor id) ‖ u64 height ‖ event id → CBOR of its index in the log.
    LaneEvents "lane_events" Ranges;
    /// The admitted events of a lane that no admitted event of it extends. Subject id ‖ lane → CBOR
    /// array of event ids, ascending.
    LaneHeads "lane_heads" Points;
    /// The newest links of a key's journal; more than one is a fork. Public key → CBOR array of
    /// `[event id, height]`, ascending by id.
    Journals "journals" Points;
    /// Events that wait for an ancestor or an upgrade. Event id → CBOR `[signed bytes, missing
    /// ids, source as text, signer's key]`.
    Held "held" Documents;
    /// Who waits for whom. Missing event id ‖ held event id → nothing.
    HeldByMissing "held_by_missing" Ranges;
    /// How far each follower has read the log. Text → CBOR `[follower's version, next log index]`.
    Cursors "cursors" Small;
    /// How far this node has read the log of a peer. Peer id (text) → CBOR `[log key, size of this node's own log then,
    /// next index, entry before it or null, [gaps]]`, and where a stretch was skipped, at its end `[next index, entry before
    /// it or null, end]`.
    PeerCursors "peer_cursors" Small;
    /// The journal of anchor transactions. u64 sequence → bytes of the anchoring service.
    Anchors "anchors" Small;
    /// Openings of sealed fields. Event id ‖ field path (bytes, as text is written) → bytes
    /// encrypted by the node.
    Openings "openings" Erasable;
    /// Events by business document. Actor id ‖ document type (text) ‖ number (text) ‖ event id → nothing.
    References "references" Ranges;
    /// View of lots. Subject id → CBOR row.
    Produces "view_produces" Documents;
    /// Lots in lists. Facet ‖ u64 time ‖ subject id → nothing.
    ProducesBy "view_produces_by" Lists;
    /// View of handovers. Event id of the offer → CBOR row.
    Transfers "view_transfers" Documents;
    /// Handovers in lists. Facet ‖ u64 time ‖ event id → nothing.
    TransfersBy "view_transfers_by" Lists;
    /// View of actors. Subject id → CBOR row.
    Actors "view_actors" Documents;
    /// Actors in lists. Facet ‖ u64 time ‖ subject id → nothing.
    ActorsBy "view_actors_by" Lists;
    /// View of places. Subject id → CBOR row.
    Places "view_places" Documents;
    /// Places in lists. Facet ‖ u64 time ‖ subject id → nothing.
    PlacesBy "view_places_by" Lists;
    /// What every subject's history ends with, as of the newest cut of the state map. Subject id →
    /// the map of lane to tips of docs/state-map.md, whose SHA-256 is the subject's value there.
    MapTips "map_tips" Points;
    /// Pages of the state map (`provenance::state_map`). u8 nibbles ‖ path, two nibbles a byte ‖ u64
    /// version → page.
    MapPages "map_pages" Pages;
    /// Versions of the state map. u64 size of the log → CBOR `[[version of the root page, its hash] or
    /// null, time of the cut in ms, pages that it replaced, [size, number] or null]`; the last is where
    /// in `map_replaced` its removal goes on.
    MapVersions "map_versions" Small;
    /// Pages that a version replaced and that an older one may need. u64 size ‖ u32 number → keys of
    /// pages, one after the other.
    MapReplaced "map_replaced" Numbered;
    /// Versions that are to be kept for bundles. u64 size → nothing.
    MapKept "map_kept" Small;
    /// When the log had which size, at most one row in ten seconds. u64 ms → u64 size.
    Cuts "cuts" Small;
    /// What this node has signed of its log. u64 size → CBOR `[signed note, [cosignature
    /// lines]]`.
    Checkpoints "checkpoints" Small;
    /// How far this node has witnessed the log of another. Log key → CBOR `[[roots of its complete
    /// subtrees, largest first], its next index, entries of this node's log that it was compared with,
    /// [size, log root, note, cosignature line] or null, null]`; earlier programs wrote a contradicting note at the end.
    Witnessed "witnessed" Small;
    /// Entries that one of two logs has and the other lacks. Log key of the other ‖ event id → CBOR
    /// null if this node's log lacks it, else its index there.
    Differences "differences" Points;
    /// What became of openings. Event id ‖ field path (bytes, as text is written) ‖ text → u64 time in milliseconds:
    /// when the opening was passed to the peer of this id, or, with an empty text, when it was erased here.
    OpeningNotes "opening_notes" Ranges;
    /// What an event counts as, where that is not simply what it was admitted as. Event id ‖ u64 size of the log since
    /// which → CBOR of `provenance::admission::Counted`, or null where it counts as it was admitted again.
    Counted "counted" Lists;
    /// The same by size. u64 size of the log ‖ event id → nothing.
    Recounted "recounted" Numbered;
    /// Events that decide which others count: keys and their ends, amendments, decisions. u64 log index → event id.
    Deciding "deciding" Numbered;
    /// Merkle trees of journals that were cut, up to the cut. Event id of the cutter ‖ event id of the key event (or
    /// network id) ‖ u8 level ‖ u64 tile → up to 256 hashes of 32 bytes.
    CutJournals "cut_journals" Numbered;
    /// View of logistic units. Subject id → CBOR row.
    Units "view_units" Documents;
    /// Logistic units in lists. Facet ‖ u64 time ‖ subject id → nothing.
    UnitsBy "view_units_by" Lists;
    /// What lots and units are made of and what became of them. Subject id ‖ u8 direction (0 upstream, 1 downstream) ‖ u32
    /// page → CBOR `[pages behind page 0, [[subject id, event id, how], …]]`.
    Lineage "lineage" Points;
    /// Where lots were, both ways. Place's subject id ‖ u64 time ‖ lot's subject id ‖ event id → nothing; and lot's
    /// subject id ‖ u64 time ‖ place's subject id ‖ event id → nothing.
    Whereabouts "whereabouts" Ranges;
    /// Certificates by what claims can call them, and the lots that claim them. Claim (text) ‖ u8 (0 certificate, 1
    /// lot) ‖ subject id ‖ event id → nothing.
    Claims "claims" Lists;
    /// View of certificates. Subject id → CBOR row.
    Certificates "view_certificates" Documents;
    /// Certificates in lists. Facet ‖ u64 time ‖ subject id → nothing.
    CertificatesBy "view_certificates_by" Lists;
    /// View of recalls. Event id of the issue → CBOR row.
    Recalls "view_recalls" Documents;
    /// Recalls in lists. Facet ‖ u64 time ‖ event id → nothing.
    RecallsBy "view_recalls_by" Lists;
    /// Entries of other nodes' logs, for whom of them is restored from a backup. Log key ‖ u64 number of a page of 256
    /// entries → their event ids, 32 bytes each; the newest page is partial.
    WitnessedIds "witnessed_ids" Numbered;
    /// What is kept of another node's log in the column above. Log key → CBOR `[index of the first entry, of the one after
    /// the last, newest note that the log has signed or null]`.
    WitnessedLogs "witnessed_logs" Small;
    /// Where journals fork. Public key ‖ u8 ‖ event id of the link ‖ event id → nothing. 01: events that share a link with
    /// another; 02: all admitted events of a key whose journal has several ends; 00 with zeros: those are all here.
    JournalForks "journal_forks" Ranges;
    /// Which events the basis of entries of the log names. u64 part of 4,096 entries → the first 8 bytes of each id that is
    /// named there, ascending.
    NamedIn "named_in" Numbered;
    /// Frontiers of journals that were cut, at every 1,024th of their events. Event id → roots of the complete subtrees over
    /// the journal up to it, largest first, 32 bytes each.
    JournalRoots "journal_roots" Points;
    /// Proofs that the log of another node was rewritten. Log key → CBOR `[smaller note, larger note, [roots of the subtrees
    /// up to the smaller size, 32 bytes each], [roots of those between the sizes]]`.
    Contradictions "contradictions" Small;
}

/// How rows of a column are used, which decides how `RocksDB` keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A handful of rows.
    Small,
    /// Found by a random key, hundreds of bytes long.
    Documents,
    /// Found by a random key, tens of bytes long.
    Points,
    /// The same, and removed from the disk itself where that is asked for.
    Erasable,
    /// Read in ranges of one id, which is the first 32 bytes of the key; filters help only forwards.
    Ranges,
    /// Read in other ranges.
    Lists,
    /// Hashes, or what is full of them, under ascending numbers.
    Numbered,
    /// Found by a random key that is always there, hundreds of bytes of hashes, and replaced within minutes.
    Pages,
}

/// The length of an id.
const ID_BYTES: usize = 32;

/// Runs of sorted files that a column has before some of them are merged, where its rows are written all over.
const SORTED_RUNS: i32 = 12;

impl Column {
    /// How many bytes all keys of a range have in common that files are asked for before they are searched.
    pub(crate) fn range_prefix(self) -> Option<usize> {
        (self.shape() == Shape::Ranges).then_some(ID_BYTES)
    }

    /// Whether keys of new rows fall everywhere among those that are there.
    fn is_written_all_over(self) -> bool {
        matches!(self.shape(), Shape::Documents | Shape::Points | Shape::Ranges | Shape::Lists | Shape::Pages)
    }

    /// Whether rows are found by single keys, most of which are not among the newest.
    fn is_asked_for_keys(self) -> bool {
        matches!(self.shape(), Shape::Documents | Shape::Points | Shape::Erasable | Shape::Pages)
    }

    pub(crate) fn options(self, cache: &Cache) -> Options {
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(cache);
        // Indexes and filters count against the cache, so that memory stays bounded however many
        // events there are; those of the newest files stay in it, as every read asks them first.
        blocks.set_cache_index_and_filter_blocks(true);
        blocks.set_cache_index_and_filter_blocks_with_high_priority(true);
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
        blocks.set_format_version(5);

        let mut options = Options::default();
        options.set_level_compaction_dynamic_level_bytes(true);
        // A small buffer each: what bounds memory is the sum over all columns (`StoreOptions`).
        options.set_write_buffer_size(32 << 20);
        if self.is_written_all_over() {
            merge_seldom(&mut options);
        } else {
            // Rows in order are mostly just moved into their level, and the other columns here are small.
            options.set_level_zero_file_num_compaction_trigger(8);
        }
        // No row expires, so nothing is rewritten for its age alone, as RocksDB would do with files of thirty days: most of a
        // large store.
        options.set_ttl(0);
        options.set_periodic_compaction_seconds(0);
        // One thread merges for all columns, so that one may wait long for its turn. Writers are made to wait for it only
        // where far too much has piled up.
        options.set_level_zero_slowdown_writes_trigger(4 * SORTED_RUNS);
        options.set_level_zero_stop_writes_trigger(6 * SORTED_RUNS);
        if self.is_asked_for_keys() {
            // A filter for what is still in memory spares most searches there, as most keys that are asked for are on the
            // disk or nowhere. It takes its share of the write buffer whether or not anything is written.
            options.set_memtable_prefix_bloom_ratio(0.005);
            options.set_memtable_whole_key_filtering(true);
        }
        match self.shape() {
            Shape::Small => options.set_write_buffer_size(1 << 20),
            Shape::Documents => {
                // Most look-ups of ids from peers find nothing: ten bits a key spare 99 % of those reads.
                blocks.set_bloom_filter(10.0, false);
                // Larger blocks make a smaller index; a document fills a good part of a block anyway.
                blocks.set_block_size(16 << 10);
                compress_at_last(&mut options);
            }
            Shape::Points | Shape::Erasable => {
                // Erasable rows are kept in levels, so that erasing one rewrites only files that may hold it.
                blocks.set_bloom_filter(10.0, false);
                // Ids are random, so compression would only cost time.
                options.set_compression_type(DBCompressionType::None);
            }
            Shape::Ranges => {
                // Most runs have nothing of most ids, whose events came within some weeks: a filter tells so.
                options.set_prefix_extractor(SliceTransform::create_fixed_prefix(ID_BYTES));
                blocks.set_bloom_filter(10.0, false);
                blocks.set_whole_key_filtering(false);
                blocks.set_block_size(8 << 10);
                compress_at_last(&mut options);
            }
            Shape::Lists => {
                blocks.set_block_size(8 << 10);
                compress_at_last(&mut options);
            }
            Shape::Pages => {
                // Half the filter's memory is spared at the last level, as every page that is asked for exists.
                blocks.set_bloom_filter(10.0, false);
                options.set_optimize_filters_for_hits(true);
                options.set_compression_type(DBCompressionType::None);
                blocks.set_block_size(8 << 10);
                // Each event of a busy log writes some pages and removes as many: a larger buffer lets many pairs meet
                // before they reach a file.
                options.set_write_buffer_size(64 << 20);
                options.set_target_file_size_base(128 << 20);
            }
            Shape::Numbered => {
                // Where new rows come behind all others, as those of the log do, compactions only move files and rewrite
                // nothing. An entry is also asked for alone: small blocks are read sooner, and twice the index is little.
                options.set_compression_type(DBCompressionType::None);
                blocks.set_block_size(8 << 10);
            }
        }
        options.set_block_based_table_factory(&blocks);
        options
    }
}

/// For keys that fall everywhere: whatever is merged into a column rewrites most of it. So runs of like size are merged
/// with each other, which rewrites a row some few times however many there are, where levels would rewrite it ten times
/// for each. Filters keep reads from looking into every run.
fn merge_seldom(options: &mut Options) {
    let mut universal = UniversalCompactOptions::default();
    // Runs count as of like size up to this many percent.
    universal.set_size_ratio(10);
    // Rows that were replaced take no more room than those that stand.
    universal.set_max_size_amplification_percent(100);
    options.set_compaction_style(DBCompactionStyle::Universal);
    options.set_universal_compaction_options(&universal);
    options.set_level_zero_file_num_compaction_trigger(SORTED_RUNS);
}

/// Only the oldest and largest run is compressed: what is newer will be merged again.
fn compress_at_last(options: &mut Options) {
    options.set_compression_type(DBCompressionType::None);
    options.set_bottommost_compression_type(DBCompressionType::Lz4);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_disk_never_change() {
        let names: Vec<_> = Column::ALL.iter().map(|column| column.name()).collect();
        assert_eq!(
            names.join(" "),
            "meta log entries indexes voids tiles subjects lane_events lane_heads journals held held_by_missing cursors \
             peer_cursors anchors openings references view_produces view_produces_by view_transfers \
             view_transfers_by view_actors view_actors_by view_places view_places_by map_tips map_pages \
             map_versions map_replaced map_kept cuts checkpoints witnessed differences opening_notes counted recounted \
             deciding cut_journals view_units view_units_by lineage whereabouts claims view_certificates \
             view_certificates_by view_recalls view_recalls_by witnessed_ids witnessed_logs journal_forks \
             named_in journal_roots contradictions"
        );
    }

    #[test]
    fn erasable_columns_are_kept_in_levels() {
        let mut erasable = Column::ALL.iter().filter(|column| matches!(column.shape(), Shape::Erasable)).peekable();
        assert!(erasable.peek().is_some());
        assert!(
            erasable.all(|column| !column.is_written_all_over()),
            "`erase` compacts ranges, which only levels can do"
        );
    }
}
