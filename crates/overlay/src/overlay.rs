//! A set of rules in effect: the embedded ones, with a team's own over them, without the allowed ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bnbpip_packaging::MarkerEnvironment;
use sha2::{Digest, Sha256};

use crate::active::ActiveRules;
use crate::rules::{CompactError, Rule, RuleDate, RuleDocument, RuleError, RuleId, decode, encode};

/// Rules by identifier. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    rules: BTreeMap<RuleId, Arc<Rule>>,
}

impl Overlay {
    /// The rules that are compiled into the program.
    ///
    /// # Errors
    ///
    /// When the compiled form cannot be read, which a test rules out for every build.
    pub fn embedded() -> Result<Self, CompactError> {
        decode(crate::embedded::COMPILED).map(Self::from_rules)
    }

    /// The rule set without rules.
    pub fn empty() -> Self {
        Self::default()
    }

    /// These rules. Of several with one identifier the last counts.
    pub fn from_rules(rules: impl IntoIterator<Item = Rule>) -> Self {
        let rules = rules
            .into_iter()
            .map(|rule| (rule.id.clone(), Arc::new(rule)))
            .collect();
        Self { rules }
    }

    /// Reads one rule file; `source_name` is what errors call it, usually its path.
    ///
    /// # Errors
    ///
    /// When the text is not a valid rule.
    pub fn parse_rule(text: &str, source_name: &str) -> Result<RuleDocument, RuleError> {
        RuleDocument::parse(text, source_name)
    }

    /// These rules over the present ones. A rule of the same identifier is replaced; a withdrawn one is removed.
    #[must_use]
    pub fn with_layer(mut self, documents: impl IntoIterator<Item = RuleDocument>) -> Self {
        for document in documents {
            let id = document.rule.id.clone();
            if document.withdrawn.is_some() {
                self.rules.remove(&id);
            } else {
                self.rules.insert(id, Arc::new(document.rule));
            }
        }
        self
    }

    /// The set without the rules that the user allows to be broken.
    #[must_use]
    pub fn without(mut self, allowed: &[RuleId]) -> Self {
        for id in allowed {
            self.rules.remove(id);
        }
        self
    }

    /// A rule by its identifier.
    pub fn get(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.get(id).map(Arc::as_ref)
    }

    /// The rules by identifier.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.values().map(Arc::as_ref)
    }

    /// The day of the last change to any of the rules; `None` for an empty set.
    pub fn version(&self) -> Option<RuleDate> {
        self.rules().map(|rule| rule.date).max()
    }

    /// The SHA-256 of the set's content, in lowercase hexadecimal. Equal sets have equal digests on every machine.
    ///
    /// # Errors
    ///
    /// As [`encode`]: never for rules that were read from text.
    pub fn digest(&self) -> Result<String, CompactError> {
        let bytes = encode(self.rules())?;
        let mut digest = String::with_capacity(64);
        for byte in Sha256::digest(&bytes) {
            // Writing into a `String` cannot fail.
            let _ = write!(digest, "{byte:02x}");
        }
        Ok(digest)
    }

    /// What the rules say for one environment.
    pub fn active(&self, environment: &MarkerEnvironment) -> ActiveRules {
        let rules = self
            .rules
            .values()
            .filter(|rule| rule.holds_in(environment));
        ActiveRules::new(rules.cloned(), environment.clone())
    }
}
