//! The companies that aren't as they were arranged.

use std::collections::{BTreeMap, BTreeSet};

use barometer_domain::CompanyId;
use chrono::Utc;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Arrangement, At};
use crate::{
    StoreError,
    lambda::Chain,
    listing::{Counted, Sort},
    table::arranged::{Copied, Mark, Row, SETTLES},
};

/// Reads at the same time.
const AT_ONCE: usize = 16;

impl Copied {
    /// Whose row it is.
    pub(super) fn id(&self) -> Option<&CompanyId> {
        self.row.as_ref().map(Row::id)
    }

    /// Whether the write that a mark was left for is in it.
    fn settles(&self, mark: &Mark) -> bool {
        self.read_at >= mark.at + SETTLES
    }
}

/// The rows of the marked companies, in the order of their ids: as copied, or read where a copy may be too old. What was
/// read is copied for the next reader.
pub(super) async fn read(
    arrangement: &Arrangement<'_>,
    copies: Vec<Copied>,
    marks: &[Mark],
    at: At<'_>,
) -> Result<Vec<Copied>, StoreError> {
    let Arrangement { table, workspace, head } = arrangement;
    let mut known: BTreeMap<CompanyId, Copied> =
        copies.into_iter().filter_map(|copied| Some((copied.id()?.clone(), copied))).collect();
    let to_read: Vec<&Mark> = marks
        .iter()
        .filter(|mark| known.get(&mark.company).is_none_or(|copied| !copied.settles(mark)))
        .collect();
    let unknown: BTreeSet<&CompanyId> =
        to_read.iter().map(|mark| &mark.company).filter(|id| !known.contains_key(*id)).collect();
    let counted = counted(arrangement, unknown, at).await?;
    let read_at = Utc::now();
    let reads: Vec<_> = to_read.iter().map(|mark| table.company(workspace, &mark.company)).collect();
    let rows: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    let mut news = false;
    for (mark, row) in to_read.into_iter().zip(rows) {
        // A company that a product told of just now isn't there yet; it comes with its row.
        let Some(row) = row.map(Row::of) else { continue };
        let before = known.remove(&mark.company);
        let was = match &before {
            Some(before) => before.was.clone(),
            None => counted.get(&mark.company).cloned(),
        };
        let copied = Copied { row: Some(row), was, read_at };
        news |= before.is_none_or(|before| before.row != copied.row || copied.settles(mark));
        known.insert(mark.company.clone(), copied);
    }
    let marked: BTreeSet<&CompanyId> = marks.iter().map(|mark| &mark.company).collect();
    known.retain(|id, _| marked.contains(id));
    let copies: Vec<Copied> = known.into_values().collect();
    if news && let Err(error) = table.keep_copies(workspace, head, &copies).await {
        // The next reader reads the rows again.
        tracing::warn!(%workspace, error = %Chain(&error), "copies of rows can't be kept");
    }
    Ok(copies)
}

/// What the arrangement counts of companies that are in it.
async fn counted(
    arrangement: &Arrangement<'_>,
    companies: BTreeSet<&CompanyId>,
    at: At<'_>,
) -> Result<BTreeMap<CompanyId, Counted>, StoreError> {
    let Arrangement { table, workspace, head } = arrangement;
    if companies.is_empty() || head.companies == 0 {
        return Ok(BTreeMap::new());
    }
    let first = table.contents(workspace, head, Sort::BY_ID).await?;
    let sheet_of = |id: &CompanyId| first.partition_point(|position| position.id() <= id).checked_sub(1);
    let sheets: BTreeSet<usize> = companies.iter().filter_map(|id| sheet_of(id)).collect();
    let reads: Vec<_> =
        sheets.into_iter().map(|sheet| table.sheet(workspace, head, Sort::BY_ID, sheet)).collect();
    let rows: Vec<Vec<Row>> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    let rows = rows.into_iter().flatten().filter(|row| companies.contains(row.id()));
    Ok(rows.map(|row| (row.id().clone(), at.counted(&row))).collect())
}
