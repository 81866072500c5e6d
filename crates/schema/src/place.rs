//! Where in a message a walk is: names of fields and indices of elements.

use std::fmt::Write;

/// The way from the message down to the field at hand.
#[derive(Debug, Default)]
pub(crate) struct Place(Vec<Step>);

#[derive(Clone, Copy, Debug)]
enum Step {
    Name(&'static str),
    Index(usize),
}

impl Place {
    /// Into a field.
    pub(crate) fn enter(&mut self, name: &'static str) {
        self.0.push(Step::Name(name));
    }

    /// Into an element of the array at hand.
    pub(crate) fn enter_element(&mut self, index: usize) {
        self.0.push(Step::Index(index));
    }

    /// Back out of the last step.
    pub(crate) fn leave(&mut self) {
        self.0.pop();
    }

    /// The name of the innermost field.
    pub(crate) fn name(&self) -> Option<&'static str> {
        self.0.iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(*name),
            Step::Index(_) => None,
        })
    }

    /// `topics[0].partitions[1].leader_id`
    pub(crate) fn path(&self) -> String {
        self.text(true)
    }

    /// `topics.partitions.leader_id`
    pub(crate) fn path_without_indices(&self) -> String {
        self.text(false)
    }

    fn text(&self, indices: bool) -> String {
        let mut path = String::new();
        for step in &self.0 {
            match step {
                Step::Name(name) => {
                    let separator = if path.is_empty() { "" } else { "." };
                    let _ = write!(path, "{separator}{name}");
                }
                Step::Index(index) if indices => {
                    let _ = write!(path, "[{index}]");
                }
                Step::Index(_) => {}
            }
        }
        path
    }
}
