// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.28;

/// @notice The part of forge's cheatcodes that the tests use.
interface Vm {
    /// @dev The next call comes from `sender`.
    function prank(address sender) external;
    function roll(uint256 blockNumber) external;
    function warp(uint256 timestamp) external;
    function deal(address account, uint256 balance) external;
    function assume(bool condition) external pure;
    function load(address target, bytes32 slot) external view returns (bytes32);
    function expectEmit(address emitter) external;
    function expectRevert(bytes calldata reason) external;
    /// @dev Gas of the last call, under `isolate` of the whole transaction; kept in `snapshots/<group>.json`.
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256 gas);
    function assertEq(bytes32 left, bytes32 right) external pure;
    function assertNotEq(bytes32 left, bytes32 right) external pure;
    function assertGt(uint256 left, uint256 right, string calldata message) external pure;
    function assertLe(uint256 left, uint256 right, string calldata message) external pure;
    function assertFalse(bool condition, string calldata message) external pure;
}

/// @notice What a contract of tests starts from.
abstract contract TestBase {
    /// @dev Where forge answers cheatcodes.
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
}
