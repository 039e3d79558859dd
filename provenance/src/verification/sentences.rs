//! What each check proves and on whose word it rests, in the words of an auditor.

use super::Check;
use std::borrow::Cow;

/// Two sentences for people.
pub(super) struct Words {
    pub proves: Cow<'static, str>,
    pub rests_on: Cow<'static, str>,
}

fn words(proves: &'static str, rests_on: &'static str) -> Words {
    Words { proves: proves.into(), rests_on: rests_on.into() }
}

const MATHEMATICS: &str = "nobody's word: computed here";

pub(super) fn of(check: Check) -> Words {
    match check {
        Check::Format => words("The file is a complete bundle, and says nothing twice or in two ways.", MATHEMATICS),
        Check::Network => words(
            "All of it belongs to one network, whose id names its founders.",
            "your knowledge that this is the id of the network you mean",
        ),
        Check::Signatures => words(
            "Nobody has changed a letter of any event since its signer signed it.",
            "each signer's care for the key",
        ),
        Check::Rules => words(
            "Each signer had the right to say this, and nothing was handed on that the signer did not hold.",
            "the founders, who enrolled the signers or those above them",
        ),
        Check::Scope => words("The bundle holds what belongs to the lot, and nothing else.", MATHEMATICS),
        Check::Checkpoint => {
            words("The node has signed how its log and its map of histories stood.", "the node's care for its log key")
        }
        Check::Cosignatures => cosignatures(0),
        Check::Log => words(
            "Each event stands in the node's log, which can be extended but not rewritten.",
            "the node's checkpoint",
        ),
        Check::Whole => words(
            "No event of these histories is withheld: they end where the node's map of histories says that they end.",
            "the node's checkpoint, and those who cosigned it",
        ),
        Check::Anchors => words(
            "The node's log stood in these anchors, each following the one before, made by the account that the node named.",
            "the node's checkpoint and enrolment",
        ),
        Check::Chain => words(
            "Blocks of the chain hold these anchors, so their contents are older than the blocks.",
            "the block hashes that you brought",
        ),
        Check::Openings => {
            words("What is shown of sealed fields is what was sealed when the events were signed.", MATHEMATICS)
        }
    }
}

/// With how many other nodes have confirmed the checkpoint.
pub(super) fn cosignatures(count: usize) -> Words {
    let proves = match count {
        0 => "No other node has confirmed the map of histories; that it is right is the node's own word.".into(),
        1 => "One other node has computed the same map of histories from the same log.".into(),
        count => format!("{count} other nodes have each computed the same map of histories from the same log.").into(),
    };
    Words { proves, rests_on: "the nodes that cosigned".into() }
}
