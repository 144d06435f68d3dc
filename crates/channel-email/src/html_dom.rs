//! A small tree for the HTML of a mail, built by html5ever within bounds.
//!
//! HTML can ask a parser for far more than its own size: some hundred unclosed `<font>` and then many `<p>` make each
//! paragraph open all of them again. So the parser is fed in small pieces and stopped when the tree has too many nodes
//! or is too deep; what has been built by then is at most a few times the limit.

use crate::quote_lines::up_to;
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::{Attribute, ExpandedName, ParseOpts, QualName, parse_document};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Larger HTML is not read.
pub const HTML_MAX: usize = 2 * 1024 * 1024;
/// Elements within elements.
pub const DEPTH_MAX: usize = 256;
/// Elements and texts in one mail.
pub const NODES_MAX: usize = 200_000;

/// Why HTML was not read. The text part of the mail is shown instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HtmlRefused {
    /// Longer than `HTML_MAX`.
    #[error("the HTML is larger than 2 MB")]
    TooLarge,
    /// Deeper than `DEPTH_MAX`.
    #[error("the HTML has more than 256 elements within each other")]
    TooDeep,
    /// More than `NODES_MAX`.
    #[error("the HTML has more than 200,000 elements")]
    TooMany,
}

pub(crate) type NodeId = usize;

#[derive(Debug)]
pub(crate) enum Data {
    /// The document itself, a comment, a doctype: nothing that is shown.
    Nothing,
    Text(String),
    Element {
        name: String,
        attrs: Vec<(String, String)>,
    },
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) parent: Option<NodeId>,
    pub(crate) children: Vec<NodeId>,
    pub(crate) data: Data,
    depth: usize,
}

/// The tree. Node 0 is the document.
#[derive(Debug)]
pub(crate) struct Dom {
    pub(crate) nodes: Vec<Node>,
}

impl Dom {
    /// Reads HTML of a mail.
    pub(crate) fn read(html: &str) -> Result<Self, HtmlRefused> {
        if html.len() > HTML_MAX {
            return Err(HtmlRefused::TooLarge);
        }
        if has_endless_tag(html) {
            return Err(HtmlRefused::TooMany);
        }
        let mut parser = parse_document(Sink::new(), ParseOpts::default());
        let mut rest = html;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(up_to(rest, 512).len());
            parser.process(StrTendril::from_slice(piece));
            let sink = &parser.tokenizer.sink.sink;
            if sink.deepest.get() > DEPTH_MAX {
                return Err(HtmlRefused::TooDeep);
            }
            if sink.nodes.borrow().len() > NODES_MAX {
                return Err(HtmlRefused::TooMany);
            }
            rest = after;
        }
        let dom = parser.finish();
        // Parts of the tree may have been moved to deeper places since they were made.
        match dom.deepest() > DEPTH_MAX {
            true => Err(HtmlRefused::TooDeep),
            false => Ok(dom),
        }
    }

    fn deepest(&self) -> usize {
        let mut deepest = 0;
        let mut open = vec![(0, 0)];
        while let Some((id, depth)) = open.pop() {
            deepest = deepest.max(depth);
            open.extend(self.nodes[id].children.iter().map(|child| (*child, depth + 1)));
        }
        deepest
    }

    /// A new node under another; the caller puts it among the children.
    pub(crate) fn add(&mut self, data: Data, parent: NodeId) -> NodeId {
        let depth = self.nodes[parent].depth + 1;
        self.nodes.push(Node { parent: Some(parent), children: vec![], data, depth });
        self.nodes.len() - 1
    }

    /// Name of an element in lower case; empty for everything else.
    pub(crate) fn name(&self, id: NodeId) -> &str {
        match &self.nodes[id].data {
            Data::Element { name, .. } => name,
            _ => "",
        }
    }

    /// An attribute's value.
    pub(crate) fn attr(&self, id: NodeId, wanted: &str) -> Option<&str> {
        match &self.nodes[id].data {
            Data::Element { attrs, .. } => attrs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str()),
            _ => None,
        }
    }

    /// Has a class that the test likes.
    pub(crate) fn has_class(&self, id: NodeId, test: impl Fn(&str) -> bool) -> bool {
        self.attr(id, "class").is_some_and(|classes| classes.split_ascii_whitespace().any(test))
    }

    /// The document with everything in it as HTML. Elements of scripts, styles and the head are left out.
    pub(crate) fn write(&self) -> String {
        let mut out = String::new();
        enum Step {
            Enter(NodeId),
            Close(NodeId),
        }
        let mut open = vec![Step::Enter(0)];
        while let Some(step) = open.pop() {
            let id = match step {
                Step::Enter(id) => id,
                Step::Close(id) => {
                    out.push_str("</");
                    out.push_str(self.name(id));
                    out.push('>');
                    continue;
                }
            };
            match &self.nodes[id].data {
                Data::Text(text) => escape(&mut out, text),
                Data::Element { name, .. } if UNSEEN.contains(&name.as_str()) => continue,
                Data::Element { name, attrs } => {
                    out.push('<');
                    out.push_str(name);
                    for (name, value) in attrs {
                        out.push(' ');
                        out.push_str(name);
                        out.push_str("=\"");
                        escape(&mut out, value);
                        out.push('"');
                    }
                    out.push('>');
                    if !VOID.contains(&name.as_str()) {
                        open.push(Step::Close(id));
                    }
                }
                Data::Nothing => {}
            }
            open.extend(self.nodes[id].children.iter().rev().map(|child| Step::Enter(*child)));
        }
        out
    }
}

/// Elements whose content is not for people.
pub(crate) const UNSEEN: &[&str] = &[
    "head", "script", "style", "title", "template", "noscript", "iframe", "object", "embed", "svg", "math", "xml", "noembed",
    "noframes",
];
const VOID: &[&str] = &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Bytes of one tag outside of quoted values.
const TAG_MAX: usize = 4_096;

// A tag with thousands of attributes: html5ever compares each with all before it.
fn has_endless_tag(html: &str) -> bool {
    let bytes = html.as_bytes();
    let mut at = 0;
    while let Some(start) = bytes.get(at..).unwrap_or_default().iter().position(|byte| *byte == b'<').map(|start| at + start) {
        at = start + 1;
        if !bytes.get(at).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'/') {
            continue;
        }
        let (mut plain, mut valued) = (0, false);
        while at < bytes.len() && bytes[at] != b'>' {
            match bytes[at] {
                quote @ (b'"' | b'\'') if valued => {
                    at = bytes[at + 1..].iter().position(|byte| *byte == quote).map_or(bytes.len(), |end| at + 1 + end);
                    valued = false;
                }
                b'=' => valued = true,
                byte if byte.is_ascii_whitespace() => {}
                _ => valued = false,
            }
            plain += 1;
            if plain > TAG_MAX {
                return true;
            }
            at += 1;
        }
    }
    false
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\0' => {}
            c => out.push(c),
        }
    }
}

// html5ever asks for an element's name by reference, so it travels in the handle.
#[derive(Clone)]
struct Handle {
    id: NodeId,
    name: Option<Rc<QualName>>,
    // What is in a <template>: a document of its own.
    content: Option<NodeId>,
}

struct Sink {
    nodes: RefCell<Vec<Node>>,
    deepest: Cell<usize>,
    nameless: QualName,
}

impl Sink {
    fn new() -> Self {
        let document = Node { parent: None, children: vec![], data: Data::Nothing, depth: 0 };
        Self {
            nodes: RefCell::new(vec![document]),
            deepest: Cell::new(0),
            nameless: QualName::new(None, html5ever::ns!(), html5ever::local_name!("")),
        }
    }

    fn make(&self, data: Data) -> NodeId {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { parent: None, children: vec![], data, depth: 0 });
        nodes.len() - 1
    }

    fn detach(&self, id: NodeId) {
        let mut nodes = self.nodes.borrow_mut();
        if let Some(parent) = nodes[id].parent.take()
            && let Some(at) = nodes[parent].children.iter().rposition(|child| *child == id)
        {
            nodes[parent].children.remove(at);
        }
    }

    fn insert(&self, parent: NodeId, at: usize, child: NodeOrText<Handle>) {
        let id = match child {
            NodeOrText::AppendText(text) => {
                let mut nodes = self.nodes.borrow_mut();
                let before = at.checked_sub(1).map(|before| nodes[parent].children[before]);
                if let Some(before) = before
                    && let Data::Text(have) = &mut nodes[before].data
                {
                    have.push_str(&text);
                    return;
                }
                drop(nodes);
                self.make(Data::Text(text.to_string()))
            }
            NodeOrText::AppendNode(node) => {
                self.detach(node.id);
                node.id
            }
        };
        let mut nodes = self.nodes.borrow_mut();
        let depth = nodes[parent].depth + 1;
        nodes[id].parent = Some(parent);
        nodes[id].depth = depth;
        let at = at.min(nodes[parent].children.len());
        nodes[parent].children.insert(at, id);
        self.deepest.set(self.deepest.get().max(depth));
    }

    fn handle(id: NodeId) -> Handle {
        Handle { id, name: None, content: None }
    }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Dom;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Dom {
        Dom { nodes: self.nodes.into_inner() }
    }
    fn parse_error(&self, _: Cow<'static, str>) {}
    fn get_document(&self) -> Handle {
        Self::handle(0)
    }
    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        match &target.name {
            Some(name) => name.expanded(),
            // html5ever promises to ask only for elements.
            None => self.nameless.expanded(),
        }
    }
    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, flags: ElementFlags) -> Handle {
        let attrs =
            attrs.into_iter().map(|attr| (attr.name.local.to_string().to_ascii_lowercase(), attr.value.to_string())).collect();
        let id = self.make(Data::Element { name: name.local.to_string().to_ascii_lowercase(), attrs });
        let content = flags.template.then(|| self.make(Data::Nothing));
        Handle { id, name: Some(Rc::new(name)), content }
    }
    fn create_comment(&self, _: StrTendril) -> Handle {
        Self::handle(self.make(Data::Nothing))
    }
    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        Self::handle(self.make(Data::Nothing))
    }
    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let end = self.nodes.borrow()[parent.id].children.len();
        self.insert(parent.id, end, child);
    }
    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        let has_parent = self.nodes.borrow()[element.id].parent.is_some();
        match has_parent {
            true => self.append_before_sibling(element, child),
            false => self.append(previous, child),
        }
    }
    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}
    fn get_template_contents(&self, target: &Handle) -> Handle {
        Self::handle(target.content.unwrap_or(target.id))
    }
    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        x.id == y.id
    }
    fn set_quirks_mode(&self, _: QuirksMode) {}
    fn append_before_sibling(&self, sibling: &Handle, new: NodeOrText<Handle>) {
        if let NodeOrText::AppendNode(node) = &new {
            self.detach(node.id);
        }
        let place = {
            let nodes = self.nodes.borrow();
            nodes[sibling.id]
                .parent
                .and_then(|parent| nodes[parent].children.iter().rposition(|child| *child == sibling.id).map(|at| (parent, at)))
        };
        if let Some((parent, at)) = place {
            self.insert(parent, at, new);
        }
    }
    fn add_attrs_if_missing(&self, target: &Handle, attrs: Vec<Attribute>) {
        if let Data::Element { attrs: have, .. } = &mut self.nodes.borrow_mut()[target.id].data {
            for attr in attrs {
                let name = attr.name.local.to_string();
                if !have.iter().any(|(other, _)| *other == name) {
                    have.push((name, attr.value.to_string()));
                }
            }
        }
    }
    fn remove_from_parent(&self, target: &Handle) {
        self.detach(target.id);
    }
    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let moved = std::mem::take(&mut self.nodes.borrow_mut()[node.id].children);
        let mut nodes = self.nodes.borrow_mut();
        let depth = nodes[new_parent.id].depth + 1;
        for child in &moved {
            nodes[*child].parent = Some(new_parent.id);
            nodes[*child].depth = depth;
        }
        nodes[new_parent.id].children.extend(moved);
    }
}
