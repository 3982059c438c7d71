//! Who needs whom among packages, as a tree and as the answer to "why is this here?".

use std::collections::{BTreeSet, VecDeque};

/// Packages and what they require of each other.
#[derive(Debug, Clone, Default)]
pub struct DependencyGraph {
    /// The packages, in the order in which they are shown.
    pub packages: Vec<GraphPackage>,
}

/// A package.
#[derive(Debug, Clone)]
pub struct GraphPackage {
    /// How it is shown: `torch 2.9.0`.
    pub label: String,
    /// What was asked for that is met by it: `torch>=2`; empty if nobody did.
    pub requested: Vec<String>,
    /// What it requires that is there.
    pub requires: Vec<GraphEdge>,
}

/// A requirement of a package and what meets it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GraphEdge {
    /// The place of the package that meets it.
    pub to: usize,
    /// The requirement: `torch>=2`.
    pub requirement: String,
}

/// How a tree is drawn.
#[derive(Debug, Clone, Copy, Default)]
pub struct TreeOptions<'a> {
    /// Below a package stands what requires it, rather than what it requires.
    pub invert: bool,
    /// How many levels below the first are shown; all if there is none.
    pub depth: Option<usize>,
    /// What the trees start from; what nothing stands above if there are none.
    pub roots: &'a [usize],
    /// Draw with ASCII alone, for a console that may not know the signs.
    pub ascii: bool,
}

/// What stands before a package: the branch that it hangs on, and the trunk beside what is below it.
struct Signs {
    last: [&'static str; 2],
    other: [&'static str; 2],
}

const LINES: Signs = Signs {
    last: ["└── ", "    "],
    other: ["├── ", "│   "],
};

const ASCII: Signs = Signs {
    last: ["`-- ", "    "],
    other: ["|-- ", "|   "],
};

impl DependencyGraph {
    /// The packages as trees, a line each. What was shown with all below it is marked with `(*)`
    /// when it comes again.
    pub fn tree(&self, options: TreeOptions<'_>) -> String {
        let below = self.edges(options.invert);
        let mut drawing = Drawing {
            graph: self,
            below: &below,
            signs: if options.ascii { &ASCII } else { &LINES },
            depth: options.depth.unwrap_or(usize::MAX),
            shown: BTreeSet::new(),
            reached: BTreeSet::new(),
            repeated: false,
            lines: Vec::new(),
        };
        if options.roots.is_empty() {
            let lower: BTreeSet<usize> = below.iter().flatten().map(|edge| edge.to).collect();
            let tops = (0..self.packages.len()).filter(|place| !lower.contains(place));
            for place in tops {
                drawing.root(place);
            }
            // What is in a circle has something above it, and may hang below no top.
            for place in 0..self.packages.len() {
                if !drawing.reached.contains(&place) && drawing.depth == usize::MAX {
                    drawing.root(place);
                }
            }
        } else {
            for place in options.roots {
                drawing.root(*place);
            }
        }
        if drawing.repeated {
            drawing.lines.push("(*) is shown above".to_owned());
        }
        drawing.lines.join("\n")
    }

    /// Why a package is there: what was asked for, and for each package that nothing requires, the
    /// shortest way from it.
    pub fn why(&self, place: usize) -> String {
        let package = &self.packages[place];
        let asked = package.requested.iter();
        let mut lines: Vec<String> = asked.map(|it| format!("{it} was asked for")).collect();
        let above = self.edges(true);
        let mut next: Vec<Option<&GraphEdge>> = vec![None; self.packages.len()];
        let mut seen = BTreeSet::from([place]);
        let mut pending = VecDeque::from([place]);
        while let Some(here) = pending.pop_front() {
            if here != place
                && (above[here].is_empty() || !self.packages[here].requested.is_empty())
            {
                lines.push(self.way(here, place, &next));
            }
            for edge in &above[here] {
                if seen.insert(edge.to) {
                    next[edge.to] = self.packages[edge.to]
                        .requires
                        .iter()
                        .find(|own| own.to == here);
                    pending.push_back(edge.to);
                }
            }
        }
        if lines.is_empty() {
            lines.push(match above[place].first() {
                Some(edge) => format!(
                    "{} requires {}, and is required in a circle",
                    self.packages[edge.to].label, edge.requirement
                ),
                None => "nothing requires it, and it isn't recorded that it was asked for".into(),
            });
        }
        format!("{}\n  {}", package.label, lines.join("\n  "))
    }

    fn way(&self, from: usize, to: usize, next: &[Option<&GraphEdge>]) -> String {
        let mut text = self.packages[from].label.clone();
        let mut here = from;
        while here != to {
            let Some(edge) = next[here] else { break };
            text.push_str(" requires ");
            text.push_str(&edge.requirement);
            here = edge.to;
            if here != to {
                text.push_str("; ");
                text.push_str(&self.packages[here].label);
            }
        }
        text
    }

    /// What stands below each package, in order, each once.
    fn edges(&self, invert: bool) -> Vec<Vec<GraphEdge>> {
        let mut edges = vec![Vec::new(); self.packages.len()];
        for (from, package) in self.packages.iter().enumerate() {
            for edge in package.requires.iter().filter(|edge| edge.to != from) {
                let (above, to) = if invert {
                    (edge.to, from)
                } else {
                    (from, edge.to)
                };
                edges[above].push(GraphEdge {
                    to,
                    requirement: edge.requirement.clone(),
                });
            }
        }
        for list in &mut edges {
            list.sort();
            list.dedup_by_key(|edge| edge.to);
        }
        edges
    }
}

struct Drawing<'a> {
    graph: &'a DependencyGraph,
    below: &'a [Vec<GraphEdge>],
    signs: &'static Signs,
    depth: usize,
    /// Shown with all that is below.
    shown: BTreeSet<usize>,
    reached: BTreeSet<usize>,
    repeated: bool,
    lines: Vec<String>,
}

impl Drawing<'_> {
    fn root(&mut self, place: usize) {
        self.node(place, "", "", "", 0);
    }

    fn node(&mut self, place: usize, lead: &str, below_lead: &str, edge: &str, level: usize) {
        let below = self.below;
        self.reached.insert(place);
        let again = !below[place].is_empty() && level < self.depth && !self.shown.insert(place);
        self.repeated |= again;
        let mark = if again { " (*)" } else { "" };
        let label = &self.graph.packages[place].label;
        self.lines.push(format!("{lead}{label}{edge}{mark}"));
        if again || level >= self.depth {
            return;
        }
        for (number, edge) in below[place].iter().enumerate() {
            let [branch, trunk] = if number + 1 == below[place].len() {
                self.signs.last
            } else {
                self.signs.other
            };
            self.node(
                edge.to,
                &format!("{below_lead}{branch}"),
                &format!("{below_lead}{trunk}"),
                &format!(" [{}]", edge.requirement),
                level + 1,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(packages: &[(&str, &[usize])]) -> DependencyGraph {
        let all: Vec<&str> = packages.iter().map(|it| it.0).collect();
        let package = |(label, requires): &(&str, &[usize])| GraphPackage {
            label: (*label).to_owned(),
            requested: Vec::new(),
            requires: requires
                .iter()
                .map(|to| GraphEdge {
                    to: *to,
                    requirement: format!("{}>=1", all[*to]),
                })
                .collect(),
        };
        DependencyGraph {
            packages: packages.iter().map(package).collect(),
        }
    }

    #[test]
    fn a_package_that_comes_again_and_one_in_a_circle_are_shown_once() {
        let graph = graph(&[
            ("app", &[1, 2]),
            ("left", &[3]),
            ("right", &[3]),
            ("base", &[4]),
            ("leaf", &[]),
            ("ring", &[6]),
            ("ring-too", &[5]),
        ]);
        let expected = "\
app
├── left [left>=1]
│   └── base [base>=1]
│       └── leaf [leaf>=1]
└── right [right>=1]
    └── base [base>=1] (*)
ring
└── ring-too [ring-too>=1]
    └── ring [ring>=1] (*)
(*) is shown above";
        assert_eq!(graph.tree(TreeOptions::default()), expected);
        let options = TreeOptions {
            invert: true,
            depth: Some(1),
            roots: &[3],
            ascii: false,
        };
        let expected = "base\n├── left [base>=1]\n└── right [base>=1]";
        assert_eq!(graph.tree(options), expected);
        let ascii = TreeOptions {
            ascii: true,
            depth: Some(2),
            ..options
        };
        let expected = "base\n|-- left [base>=1]\n|   `-- app [left>=1]\n`-- right [base>=1]\n    `-- app [right>=1]";
        assert_eq!(graph.tree(ascii), expected);
        let why = "leaf\n  app requires left>=1; left requires base>=1; base requires leaf>=1";
        assert_eq!(graph.why(4), why);
        let why = "ring\n  ring-too requires ring>=1, and is required in a circle";
        assert_eq!(graph.why(5), why);
        let why = "app\n  nothing requires it, and it isn't recorded that it was asked for";
        assert_eq!(graph.why(0), why);
    }
}
