//! The page in HTML. Every text comes from outside and is escaped; styles and nothing else are inline.

use super::sketch;
use super::story::{AnchorShown, Proof, Recall, Standing, Step, Story, Weight};
use crate::links;
use crate::proof_state::Proven;
use crate::state::NodeIdentity;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The one style sheet. The security policy admits it by its hash.
pub(super) const STYLE: &str = include_str!("style.css");

/// Three furrows under a sun.
const LOGO: &str = r#"<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" aria-hidden="true"><circle cx="16" cy="9" r="4"/><path d="M3 20c7-5 19-5 26 0M5 25c6-4 16-4 22 0M9 29.5c4-2.6 10-2.6 14 0"/></svg>"#;

/// The same as an icon; declared, because a browser otherwise asks for one that is not there.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32' fill='none' stroke='%232f6b3a' stroke-width='2.4'%3E%3Ccircle cx='16' cy='9' r='4'/%3E%3Cpath d='M3 20c7-5 19-5 26 0M5 25c6-4 16-4 22 0M9 29.5c4-2.6 10-2.6 14 0'/%3E%3C/svg%3E";

const CHECK: &str = r#"<svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M2.5 8.5l3.6 3.7L13.5 4"/></svg>"#;

const CLOCK: &str = r#"<svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true"><circle cx="8" cy="8" r="6"/><path d="M8 4.8V8l2.2 1.6"/></svg>"#;

/// The page of a lot.
pub(super) fn lot(story: &Story, node: &NodeIdentity, page_url: &str, qr: Option<&str>) -> Markup {
    frame(
        &format!("{}: where it comes from", story.name.text),
        &html! {
            (hero(story))
            @for recall in story.recalls.iter().filter(|recall| !recall.is_warning) { (recalled(recall)) }
            (notices(story))
            @for recall in story.recalls.iter().filter(|recall| recall.is_warning) { (recalled(recall)) }
            (origin(story))
            section.long aria-labelledby="journey" {
                h2 #journey { "Its journey" }
                @if let Some(drawing) = sketch::draw(&story.route) {
                    (drawing)
                    p.caption { "About " (distance(&story.route)) " as the crow flies. Places are shown to the nearest kilometre or so; north is up." }
                }
                @if story.shortened {
                    p.caption { "This history is long; steps in the middle are left out here. The full list is linked below." }
                }
                ol.steps { @for step in &story.steps { (one_step(step)) } }
            }
            (proof(&story.proof))
            (check_it(story))
        },
        &html! {
            @if let Some(svg) = qr { div.qr role="img" aria-label="QR code of this page" { (PreEscaped(svg)) } }
            p { "Shown by the node “" (node.name) "” from signed records that it checked itself. Any other node of the network shows the same." }
            p.mono { (page_url) }
        },
    )
}

/// The page where there is nothing to show.
pub(super) fn not_found(title: &str, text: &str) -> Markup {
    frame(
        title,
        &html! {
            div.hero { h1 { (title) } }
            section {
                p { (text) }
                p { "If you scanned a label, the code may be damaged: try once more, or type the address printed below it. A lot that was just registered can take a minute to arrive here." }
            }
        },
        &html! {},
    )
}

fn frame(title: &str, content: &Markup, foot: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                link rel="icon" href=(ICON);
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.top { (PreEscaped(LOGO)) span { strong { "Furrow" } " · where it comes from" } }
                main #content { (content) }
                footer { (foot) }
            }
        }
    }
}

fn hero(story: &Story) -> Markup {
    html! {
        div.hero {
            h1 lang=(story.name.tag) { (story.name.text) }
            @if let Some(variety) = &story.variety { p.variety { (variety) } }
            ul.chips aria-label="In short" {
                @if let Some(grade) = &story.grade { li { "Grade " (grade) } }
                @if let Some(harvested) = &story.harvested { li { "Harvested " (harvested) } }
                li.plain { (story.quantity) }
                @for (name, code) in &story.codes { li.plain { (name) " " (code) } }
            }
        }
    }
}

fn recalled(recall: &Recall) -> Markup {
    let (class, role) = if recall.is_warning { ("notice", "note") } else { ("notice alarm recall", "alert") };
    html! {
        div class=(class) role=(role) {
            h2 { (recall.title) }
            @if !recall.is_warning { p.advice { (recall.advice) } }
            p { (recall.hazard) @if let Some(scope) = &recall.scope { " · " (scope) } }
            p { "Whom to ask: " (recall.contact) }
            p.meta {
                @if recall.inherited { "It names goods from which this lot came. " }
                "Issued by " a href=(recall.url) { (recall.issuer) } " · " (recall.when)
            }
        }
    }
}

fn notices(story: &Story) -> Markup {
    html! {
        @match &story.standing {
            Standing::Disputed => {
                div.notice.alarm role="note" {
                    h2 { "This lot is disputed" }
                    p { "Its history has two or more continuations that cannot all be true, for instance the same goods handed to two buyers. All of them are shown below. Until it is settled by a signed decision, treat who holds it as unknown." }
                }
            }
            Standing::Closed { how, holder } => div.notice role="note" { h2 { (how) } p { "Last held by " (holder) "." } }
            Standing::Offered { holder, to } => {
                div.notice role="note" { h2 { "On its way" } p { "Held by " (holder) ", offered to " (to) ", who has not confirmed it yet." } }
            }
            // Beside a recall nothing is good.
            Standing::Held { holder } => div.notice.(if story.recalls.iter().all(|recall| recall.is_warning) { "good" } else { "plain" }) role="note" { h2 { "Held by " (holder) } },
        }
        @if !story.findings.is_empty() {
            div.notice role="note" {
                h2 { "What you should know" }
                @for finding in &story.findings { p { (finding) } }
            }
        }
    }
}

fn origin(story: &Story) -> Markup {
    html! {
        section aria-labelledby="origin" {
            h2 #origin { "Where it comes from" }
            dl.facts {
                @for origin in &story.origins {
                    div {
                        dt { "Grown at" }
                        dd { span lang=(origin.name.tag) { (origin.name.text) }
                            small { (origin.place_type) @if let Some(country) = &origin.country { ", " (country) } } }
                    }
                }
                div { dt { "Registered by" } dd { (story.producer) } }
                @if let Some(harvested) = &story.harvested { div { dt { "Harvested" } dd { (harvested) } } }
                @if !story.claims.is_empty() {
                    div.wide {
                        dt { "Certificates it claims" }
                        dd { (story.claims.join(", ")) small { "As the producer states them; not checked here." } }
                    }
                }
                @if let Some(parent) = &story.parent {
                    div.wide { dt { "Part of" } dd { a href=(parent.url) lang=(parent.name.tag) { (parent.name.text) }
                        small { "This is a part that was taken from a larger lot, registered as " (parent.quantity) "; it shares that lot's history up to then." } } }
                }
                @if story.parts > 0 {
                    div.wide { dt { "Parts" } dd { @if story.parts == 1 { "One part was taken from this lot and has a page of its own." } @else { (story.parts) " parts were taken from this lot; each has a page of its own." } } }
                }
            }
        }
    }
}

fn one_step(step: &Step) -> Markup {
    let class = match step.weight {
        Weight::Counts => "",
        Weight::Beside => "beside",
        Weight::Conflict => "conflict",
    };
    html! {
        li class=(class) {
            h3 {
                (step.title)
                @match step.weight {
                    Weight::Conflict => { " " span.badge.alarm { "in conflict" } }
                    Weight::Beside => { " " span.badge { "does not count" } }
                    Weight::Counts => {}
                }
            }
            p.meta {
                time datetime=(step.when_iso) { (step.when) }
                @if let Some(place) = &step.place { " · " span lang=(place.tag) { (place.text) } }
                @if step.of_parent { " · before this part was split off" }
            }
            @for line in &step.lines { p { (line) } }
            ul.signed {
                @for signed in &step.signatures {
                    li { (PreEscaped(CHECK)) span { "Signed by " a href=(signed.url) { (signed.name) } ", who " (signed.says) " it" span.meta { " · " (signed.when) } } }
                }
                @if let Some(name) = &step.awaits {
                    li.waiting { (PreEscaped(CLOCK)) span { "Waiting for the signature of " (name) } }
                }
            }
            p.meta { (state_badge(step)) }
        }
    }
}

fn state_badge(step: &Step) -> Markup {
    match step.proof.state {
        Proven::Accepted => html! { span.badge { "recorded, not anchored yet" } },
        Proven::Anchored => {
            html! { span.badge.ok { "anchored" @if let Some(anchor) = step.proof.anchor { " · no. " (anchor) } } }
        }
        Proven::Final => {
            html! { span.badge.ok { "anchored for good" @if let Some(anchor) = step.proof.anchor { " · no. " (anchor) } } }
        }
    }
}

fn proof(proof: &Proof) -> Markup {
    let all = proof.anchored == proof.events;
    html! {
        section aria-labelledby="proof" {
            h2 #proof { "How you can be sure" }
            p {
                @if !proof.enabled && proof.anchored == 0 {
                    "Every step is signed by whoever made it. This node does not anchor its records in a public ledger, so when they were made rests on the signers' word."
                } @else if proof.anchored == 0 {
                    "Every step is signed by whoever made it. None of them is anchored yet; that usually takes some minutes."
                } @else if all && proof.finally == proof.events {
                    "All " (proof.events) " records of this lot are signed and anchored for good."
                } @else if all {
                    "All " (proof.events) " records of this lot are signed and anchored."
                } @else {
                    (proof.anchored) " of the " (proof.events) " records of this lot are anchored; the newest are still on their way. All are signed."
                }
            }
            @if let Some(anchor) = &proof.anchor { (anchor_facts(anchor)) }
            details open {
                summary { "What this proves, and what not" }
                ul.proves {
                    li { "Nobody can change a step without breaking its signature: neither this node nor the network." }
                    @if proof.anchored > 0 {
                        li { "The anchored records existed before the time of their block, and cannot have been made up or replaced later." }
                    }
                    li { "A handover with two signatures was confirmed by both sides." }
                    li { "It does not prove that what was signed is true. It proves who said it, so that they answer for it." }
                }
            }
        }
    }
}

fn anchor_facts(anchor: &AnchorShown) -> Markup {
    html! {
        dl.facts {
            div { dt { "Chain" } dd { (anchor.chain) @if !anchor.public_chain { small { "A private or test chain: good for trying out, no evidence to strangers." } } } }
            @if let Some((number, time)) = &anchor.block {
                div { dt { "Block" } dd { (number) small { (time) } } }
            }
            div.wide { dt { "Contract" } dd.mono { (anchor.contract) } }
            @if let Some(transaction) = &anchor.transaction {
                div.wide { dt { "Transaction" } dd.mono { (transaction) } }
            }
            div.wide { dt { "Anchor" } dd { a href=(links::anchor(anchor.sequence)) { "No. " (anchor.sequence) " of this node" } } }
        }
    }
}

fn check_it(story: &Story) -> Markup {
    let id = story.id.parse().expect("the story was found by this id");
    html! {
        section aria-labelledby="check" {
            h2 #check { "Check it yourself" }
            p { "You need not trust this page. Each step is a small signed file; its name is the SHA-256 of its bytes." }
            ul.proves {
                li { a href=(links::history(&id)) { "All records of this lot" } " with their signers, proofs and files" }
                li { a href=(links::CHECKPOINT) { "The node's signed checkpoint" } ", which the anchors commit to" }
                li { "On a computer: " code { "furrow verify" } " checks signature, inclusion and anchor of a record against a chain endpoint of your own choice" }
            }
            details {
                summary { "The lot's id" }
                p.mono { (story.id) }
            }
        }
    }
}

fn distance(route: &[sketch::Stop]) -> String {
    let km = sketch::length_km(route);
    if km < 10.0 { format!("{km:.0} km") } else { format!("{:.0} km", (km / 5.0).round() * 5.0) }
}
