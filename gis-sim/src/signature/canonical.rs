//! Canonical forms of parts of a document, by `xml-sec`.

use xml_sec::c14n::{C14nAlgorithm, C14nError, canonicalize};
use xml_sec::{Document, Node};

/// The canonical form of `apex` and all below it, without the subtree `hole`.
pub(super) fn subtree(
    document: &Document<'_>,
    apex: Node<'_, '_>,
    hole: Option<Node<'_, '_>>,
    algorithm: &C14nAlgorithm,
) -> Result<Vec<u8>, C14nError> {
    // A node lies in a subtree exactly when its place in the text does.
    let (apex, hole) = (apex.range(), hole.map(|hole| hole.range()));
    let visible = |node: Node<'_, '_>| {
        let place = node.range();
        let inside = |outer: &std::ops::Range<usize>| outer.start <= place.start && place.end <= outer.end;
        inside(&apex) && !hole.as_ref().is_some_and(inside)
    };
    let mut octets = Vec::new();
    canonicalize(document, Some(&visible), algorithm, &mut octets)?;
    Ok(octets)
}
