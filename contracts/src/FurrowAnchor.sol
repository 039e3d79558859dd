// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IFurrowAnchor} from "./interfaces/IFurrowAnchor.sol";

/// @title FurrowAnchor
/// @notice Holds one commitment per sender and replaces it by compare and swap. There is no owner, no
/// upgrade, no ether and no loop: what a sender anchored can only be extended by that sender.
contract FurrowAnchor is IFurrowAnchor {
    /// @dev The first variable, so that a commitment's slot is `keccak256(abi.encode(sender, 0))`.
    mapping(address sender => bytes32 commitment) private _commitments;

    /// @inheritdoc IFurrowAnchor
    function anchor(bytes32 previous, uint64 size, bytes32 logRoot, bytes32 stateRoot) external {
        bytes32 present = _commitments[msg.sender];
        if (present != previous) revert StalePrevious(present, previous);

        // The same as `commitment = keccak256(abi.encode(...))` and `emit Anchored(...)` of these six values,
        // but the words are laid out once and serve both. That saves the 280 gas which a repeat anchor would
        // otherwise be over its budget. The tests hold it against the plain form.
        bytes32 topic = Anchored.selector;
        bytes32 commitment;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, previous)
            mstore(add(data, 0x20), number())
            mstore(add(data, 0x40), timestamp())
            mstore(add(data, 0x60), size)
            mstore(add(data, 0x80), logRoot)
            mstore(add(data, 0xa0), stateRoot)
            log2(data, 0xc0, topic, caller())
            commitment := keccak256(data, 0xc0)
        }
        _commitments[msg.sender] = commitment;
    }

    /// @inheritdoc IFurrowAnchor
    function commitmentOf(address sender) external view returns (bytes32) {
        return _commitments[sender];
    }
}
