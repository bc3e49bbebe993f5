//! Which company a user's activity belongs to when it doesn't say: the user's last `group()`. Rule: ingestion, company.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::CompanyId;

/// When a user named companies and when memberships ended, by [slot](crate::loose::slot). A set of facts: the order
/// in which they became known changes nothing.
///
/// Within one slot there is no order. A user who names two companies in the same five minutes was active at both,
/// and a membership that ends in the slot in which it was named has ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    named: BTreeMap<i64, BTreeSet<CompanyId>>,
    /// Of one company, or, where the product didn't say, of the one that the user was at.
    left: BTreeMap<i64, BTreeSet<Option<CompanyId>>>,
}

impl Groups {
    /// The user named a company.
    pub fn name(&mut self, slot: i64, company: CompanyId) {
        self.named.entry(slot).or_default().insert(company);
    }

    /// The user was removed from a company; with nothing, from the one they were at.
    pub fn leave(&mut self, slot: i64, company: Option<CompanyId>) {
        self.left.entry(slot).or_default().insert(company);
    }

    /// Adds everything of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (slot, companies) in &other.named {
            self.named.entry(*slot).or_default().extend(companies.iter().cloned());
        }
        for (slot, companies) in &other.left {
            self.left.entry(*slot).or_default().extend(companies.iter().cloned());
        }
    }

    /// When which company was named.
    pub fn named(&self) -> impl Iterator<Item = (i64, &CompanyId)> {
        self.named.iter().flat_map(|(slot, companies)| companies.iter().map(move |company| (*slot, company)))
    }

    /// When which membership ended.
    pub fn left(&self) -> impl Iterator<Item = (i64, Option<&CompanyId>)> {
        self.left
            .iter()
            .flat_map(|(slot, companies)| companies.iter().map(move |company| (*slot, company.as_ref())))
    }

    /// Every company that was ever named.
    pub fn companies(&self) -> BTreeSet<CompanyId> {
        self.named.values().flatten().cloned().collect()
    }

    /// The companies that activity in a slot belongs to: those named last by then and not left since; before any
    /// was named, those that were named first afterwards. Usually one; none when nothing was ever said.
    pub fn companies_at(&self, slot: i64) -> BTreeSet<CompanyId> {
        match self.at(slot).pop() {
            Some(companies) => companies,
            None => self
                .named
                .range(slot.saturating_add(1)..)
                .next()
                .map(|(_, next)| next.clone())
                .unwrap_or_default(),
        }
    }

    /// Where the user stood after a slot: companies they belong to, those named last at the end.
    fn at(&self, slot: i64) -> Vec<BTreeSet<CompanyId>> {
        let mut levels: Vec<BTreeSet<CompanyId>> = Vec::new();
        let slots: BTreeSet<i64> = self
            .named
            .range(..=slot)
            .map(|(slot, _)| *slot)
            .chain(self.left.range(..=slot).map(|(slot, _)| *slot))
            .collect();
        for slot in slots {
            if let Some(named) = self.named.get(&slot) {
                levels.iter_mut().for_each(|level| level.retain(|company| !named.contains(company)));
                levels.push(named.clone());
            }
            for left in self.left.get(&slot).into_iter().flatten() {
                match left {
                    Some(company) => levels.iter_mut().for_each(|level| {
                        level.remove(company);
                    }),
                    None => {
                        levels.pop();
                    }
                }
            }
            levels.retain(|level| !level.is_empty());
        }
        levels
    }

    /// The slot in which the membership of a company ended; nothing when it was never said to end, or the company was
    /// named again since.
    pub fn left_at(&self, company: &CompanyId) -> Option<i64> {
        let last_named =
            self.named.iter().rev().find(|(_, named)| named.contains(company)).map(|(slot, _)| *slot);
        let still = |slot: i64| self.at(slot).iter().any(|level| level.contains(company));
        let last = self.left.keys().next_back()?;
        if still(*last) {
            return None;
        }
        // The first slot with a removal after the last naming in which the company is gone.
        self.left.range(last_named.unwrap_or(i64::MIN)..).map(|(slot, _)| *slot).find(|slot| !still(*slot))
    }

    /// The slots whose companies are others than without the naming of `company` in `slot`: the first of them, and
    /// the first after them. Nothing when that fact changes nothing.
    pub fn affected(&self, slot: i64, company: &CompanyId) -> Option<std::ops::Range<i64>> {
        let mut without = self.clone();
        if let Some(named) = without.named.get_mut(&slot) {
            named.remove(company);
            if named.is_empty() {
                without.named.remove(&slot);
            }
        }
        // Between two facts nothing changes, so one look at each stretch is enough.
        let facts: BTreeSet<i64> =
            [i64::MIN].into_iter().chain(self.named.keys().chain(self.left.keys()).copied()).collect();
        let mut differing = facts.iter().filter(|at| without.companies_at(**at) != self.companies_at(**at));
        let first = *differing.next()?;
        let last = *differing.next_back().unwrap_or(&first);
        let end = facts.range(last.saturating_add(1)..).next().copied().unwrap_or(i64::MAX);
        Some(first..end)
    }
}
