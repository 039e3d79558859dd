// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.28;

/// @title Anchors of append-only logs
/// @notice Each sender has one line of anchors. An anchor says: at this block, my log had this size and this
/// root, and the produce it tells of had this state root.
interface IFurrowAnchor {
    /// @notice A sender anchored its log.
    /// @dev The data of the log, six words of 32 bytes, is what the commitment is the hash of:
    /// `keccak256(data)` is what the contract now stores for the sender.
    /// @param sender who anchored; one sender serves one log
    /// @param previous the commitment that this anchor follows; zero for a sender's first
    /// @param blockNumber number of the block
    /// @param timestamp time of the block, seconds since the epoch
    /// @param size number of entries in the log
    /// @param logRoot root of the RFC 9162 Merkle tree over those entries
    /// @param stateRoot root of the state map after those entries; zero where none is kept
    event Anchored(
        address indexed sender,
        bytes32 previous,
        uint256 blockNumber,
        uint256 timestamp,
        uint64 size,
        bytes32 logRoot,
        bytes32 stateRoot
    );

    /// @notice The anchor was built on a commitment that is not the sender's present one. Nothing changed:
    /// either this anchor already stands (a retry), or another one of this sender came first.
    /// @param expected the sender's present commitment
    /// @param given the `previous` of the call
    error StalePrevious(bytes32 expected, bytes32 given);

    /// @notice Anchors a log: swaps the sender's commitment from `previous` to
    /// `keccak256(abi.encode(previous, block.number, block.timestamp, size, logRoot, stateRoot))`,
    /// six words of 32 bytes.
    /// @dev Sizes that go backwards are not refused: the size is only inside the hash, and keeping it readable
    /// would cost a second slot with every anchor. Whoever reads a sender's `Anchored` events checks that sizes
    /// grow and that the roots are consistent (RFC 9162, section 2.1.4); the contract makes that history
    /// impossible to change.
    /// @param previous the sender's present commitment; zero if it has none
    /// @param size number of entries in the log
    /// @param logRoot root of the Merkle tree over those entries
    /// @param stateRoot root of the state map; zero where none is kept
    function anchor(bytes32 previous, uint64 size, bytes32 logRoot, bytes32 stateRoot) external;

    /// @notice The present commitment of `sender`; zero if it never anchored.
    /// @dev Stored in slot `keccak256(abi.encode(sender, 0))`, which an `eth_getProof` can be asked for.
    function commitmentOf(address sender) external view returns (bytes32);
}
