// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @title What Ceramic's anchor contract does, written anew
/// @notice The published one, CeramicAnchorServiceV2, is under the GPL and in no registry, so it is not copied here.
/// This one has the same functions, the same storage (an owner, then a list of services that may anchor), the same
/// checks in the same order and the same event, so that `anchorDagCbor` costs the same gas.
contract CeramicAnchor {
    address public owner;
    mapping(address service => bool) private _allowed;

    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);
    event DidAddCas(address indexed service);
    event DidRemoveCas(address indexed service);
    event DidAnchor(address indexed service, bytes32 root);

    modifier onlyOwner() {
        require(msg.sender == owner, "only the owner may do this");
        _;
    }

    /// @dev The list is asked first: a service on it costs one read of storage, the owner two.
    modifier onlyAllowed() {
        require(_allowed[msg.sender] || msg.sender == owner, "this service may not anchor");
        _;
    }

    constructor() {
        owner = msg.sender;
        emit OwnershipTransferred(address(0), msg.sender);
    }

    function renounceOwnership() public onlyOwner {
        emit OwnershipTransferred(owner, address(0));
        owner = address(0);
    }

    function transferOwnership(address newOwner) public onlyOwner {
        require(newOwner != address(0), "the new owner is nobody");
        emit OwnershipTransferred(owner, newOwner);
        owner = newOwner;
    }

    function addCas(address service) public onlyOwner {
        _allowed[service] = true;
        emit DidAddCas(service);
    }

    function removeCas(address service) public {
        require(msg.sender == owner || (_allowed[msg.sender] && msg.sender == service), "only the owner or the service");
        delete _allowed[service];
        emit DidRemoveCas(service);
    }

    function isServiceAllowed(address service) public view returns (bool) {
        return _allowed[service];
    }

    /// @param root the digest in the identifier of a Merkle root; only the transaction's log keeps it
    function anchorDagCbor(bytes32 root) public onlyAllowed {
        emit DidAnchor(msg.sender, root);
    }
}
