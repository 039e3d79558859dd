// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.28;

import {TestBase} from "./TestBase.sol";
import {FurrowAnchor} from "../src/FurrowAnchor.sol";
import {IFurrowAnchor} from "../src/interfaces/IFurrowAnchor.sol";

contract FurrowAnchorTest is TestBase {
    /// @dev What a repeat anchor may cost as a whole transaction: base fee, call data and execution.
    uint256 private constant BUDGET_GAS = 31_000;

    /// @dev The same numbers stand in the golden test of every program that computes commitments; they were
    /// first computed with ethers.js.
    bytes32 private constant FIRST_VECTOR =
        0x4f96868d1a8a1d6927de6855243835e1b3d745fb4c4856efe41a9a37582e6420;
    bytes32 private constant SECOND_VECTOR =
        0x6b8750fc8c3cec2199bb298bed8deaaf422b2879c582ceb44427528db72755e4;

    bytes32 private constant ELEVENS = bytes32(uint256(0x11) * (type(uint256).max / 0xff));
    bytes32 private constant TWENTY_TWOS = bytes32(uint256(0x22) * (type(uint256).max / 0xff));
    bytes32 private constant THIRTY_THREES = bytes32(uint256(0x33) * (type(uint256).max / 0xff));

    address private constant ALICE = address(0xA11CE);
    address private constant BOB = address(0xB0B);

    FurrowAnchor private anchors;

    function setUp() public {
        anchors = new FurrowAnchor();
        vm.roll(21_000_000);
        vm.warp(1_760_000_000);
    }

    function test_CommitmentMatchesTheTestVectors() public {
        vm.prank(ALICE);
        anchors.anchor(bytes32(0), 1000, ELEVENS, bytes32(0));
        vm.assertEq(anchors.commitmentOf(ALICE), FIRST_VECTOR);

        vm.roll(21_000_300);
        vm.warp(1_760_003_600);
        vm.prank(ALICE);
        anchors.anchor(FIRST_VECTOR, 1_000_000, TWENTY_TWOS, THIRTY_THREES);
        vm.assertEq(anchors.commitmentOf(ALICE), SECOND_VECTOR);
    }

    function test_CommitmentIsZeroBeforeTheFirstAnchor() public view {
        vm.assertEq(anchors.commitmentOf(ALICE), bytes32(0));
    }

    function test_EmitsWhatWasAnchored() public {
        vm.expectEmit(address(anchors));
        emit IFurrowAnchor.Anchored(ALICE, bytes32(0), 21_000_000, 1_760_000_000, 1000, ELEVENS, bytes32(0));
        vm.prank(ALICE);
        anchors.anchor(bytes32(0), 1000, ELEVENS, bytes32(0));
    }

    function test_RetryIsRefusedAndNamesThePresentCommitment() public {
        vm.prank(ALICE);
        anchors.anchor(bytes32(0), 1000, ELEVENS, bytes32(0));

        vm.expectRevert(
            abi.encodeWithSelector(IFurrowAnchor.StalePrevious.selector, FIRST_VECTOR, bytes32(0))
        );
        vm.prank(ALICE);
        anchors.anchor(bytes32(0), 1000, ELEVENS, bytes32(0));
        vm.assertEq(anchors.commitmentOf(ALICE), FIRST_VECTOR);
    }

    function test_SlotIsWhereProofsLookForIt() public {
        vm.prank(ALICE);
        anchors.anchor(bytes32(0), 1000, ELEVENS, bytes32(0));
        vm.assertEq(vm.load(address(anchors), keccak256(abi.encode(ALICE, uint256(0)))), FIRST_VECTOR);
    }

    function test_EtherIsRefused() public {
        vm.deal(ALICE, 2 ether);
        vm.prank(ALICE);
        (bool paid,) = address(anchors).call{value: 1 ether}(
            abi.encodeCall(IFurrowAnchor.anchor, (bytes32(0), 1000, ELEVENS, bytes32(0)))
        );
        vm.assertFalse(paid, "anchor() took ether that nobody can take out again");

        vm.prank(ALICE);
        (bool sent,) = address(anchors).call{value: 1 ether}("");
        vm.assertFalse(sent, "the contract took ether that nobody can take out again");
    }

    function test_SizeThatGoesBackIsLeftToTheReaders() public {
        vm.prank(ALICE);
        anchors.anchor(bytes32(0), 1000, ELEVENS, bytes32(0));
        vm.prank(ALICE);
        anchors.anchor(FIRST_VECTOR, 999, TWENTY_TWOS, bytes32(0));
        vm.assertNotEq(anchors.commitmentOf(ALICE), FIRST_VECTOR);
    }

    function testFuzz_AnchorSwapsExactlyTheSendersCommitment(
        address sender,
        uint64 blockNumber,
        uint64 timestamp,
        uint64 size,
        bytes32 logRoot,
        bytes32 stateRoot
    ) public {
        vm.assume(sender != BOB);
        vm.prank(BOB);
        anchors.anchor(bytes32(0), 1000, ELEVENS, bytes32(0));

        vm.roll(blockNumber);
        vm.warp(timestamp);
        bytes32 expected = keccak256(
            bytes.concat(
                bytes32(0),
                bytes32(uint256(blockNumber)),
                bytes32(uint256(timestamp)),
                bytes32(uint256(size)),
                logRoot,
                stateRoot
            )
        );
        vm.expectEmit(address(anchors));
        emit IFurrowAnchor.Anchored(sender, bytes32(0), blockNumber, timestamp, size, logRoot, stateRoot);
        vm.prank(sender);
        anchors.anchor(bytes32(0), size, logRoot, stateRoot);

        vm.assertEq(anchors.commitmentOf(sender), expected);
        vm.assertEq(anchors.commitmentOf(BOB), FIRST_VECTOR);
    }

    function testFuzz_OnlyThePresentCommitmentIsAPredecessor(address sender, bytes32 given) public {
        vm.prank(sender);
        anchors.anchor(bytes32(0), 1000, ELEVENS, bytes32(0));
        vm.assume(given != FIRST_VECTOR);

        vm.expectRevert(abi.encodeWithSelector(IFurrowAnchor.StalePrevious.selector, FIRST_VECTOR, given));
        vm.prank(sender);
        anchors.anchor(given, 1001, TWENTY_TWOS, bytes32(0));
        vm.assertEq(anchors.commitmentOf(sender), FIRST_VECTOR);
    }

    function testFuzz_CommitmentsFormAChain(bytes32[8] calldata roots, uint8 pause) public {
        bytes32 previous;
        for (uint64 step; step < roots.length; ++step) {
            uint64 size = step + 1;
            uint256 blockNumber = 21_000_000 + uint256(step) * pause;
            vm.roll(blockNumber);
            vm.prank(ALICE);
            anchors.anchor(previous, size, roots[step], bytes32(0));

            bytes32 commitment = keccak256(
                abi.encode(previous, blockNumber, uint256(1_760_000_000), size, roots[step], bytes32(0))
            );
            vm.assertEq(anchors.commitmentOf(ALICE), commitment);
            vm.assertNotEq(commitment, previous);
            previous = commitment;
        }
    }

    function test_GasOfTheFirstAnchor() public {
        vm.prank(ALICE);
        anchors.anchor(bytes32(0), 1000, ELEVENS, bytes32(0));
        vm.snapshotGasLastCall("transactions", "first anchor");
    }

    function test_GasOfARepeatAnchorIsWithinTheBudget() public {
        vm.prank(ALICE);
        anchors.anchor(bytes32(0), 1000, ELEVENS, bytes32(0));
        vm.prank(ALICE);
        anchors.anchor(FIRST_VECTOR, 1_000_000, TWENTY_TWOS, THIRTY_THREES);
        uint256 gas = vm.snapshotGasLastCall("transactions", "repeat anchor");
        vm.assertGt(gas, 21_000, "gas was not measured for a whole transaction");
        vm.assertLe(gas, BUDGET_GAS, "a repeat anchor is over its budget");
    }

    /// @dev No zero byte in the call data, which is what costs most.
    function test_GasOfTheDearestAnchorIsWithinTheBudget() public {
        vm.prank(ALICE);
        anchors.anchor(bytes32(0), 1000, ELEVENS, bytes32(0));
        vm.prank(ALICE);
        anchors.anchor(FIRST_VECTOR, type(uint64).max, TWENTY_TWOS, THIRTY_THREES);
        uint256 gas = vm.snapshotGasLastCall("transactions", "dearest anchor");
        vm.assertLe(gas, BUDGET_GAS, "the dearest anchor is over its budget");
    }
}
