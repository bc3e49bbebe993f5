//! Arranges the portfolio: after a run, and when many companies have changed.

use std::collections::BTreeMap;

use barometer_domain::{CompanyId, Settings, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::At;
use crate::{
    StoreError, Table,
    listing::{Position, Sort, Summary},
    table::arranged::{Head, Mark, READ, Row, SETTLES, SHEET},
    workspaces::random_id,
};

/// Writes at the same time.
const AT_ONCE: usize = 16;
/// Of so many companies one may have changed before all are arranged anew: a changed one costs each reader its row or a
/// part of a copy, arranging costs about two write units a company.
const OF: usize = 100;
/// So many may have changed in any case.
const FEW: usize = 25;
/// An arrangement that is this old is made anew, long before it isn't read any more.
const OLD: TimeDelta = TimeDelta::days(6);
const _: () = assert!(OLD.num_days() + 1 < READ.num_days(), "a day's look must come in time");

/// What the companies of a workspace were found to be against their arrangement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// There is no arrangement, or it is old, or many companies changed.
    Much,
    /// Few companies differ.
    Little {
        /// These changed without a mark, or stand elsewhere because time has passed.
        changed: Vec<CompanyId>,
        /// These marks are of companies that are as they were arranged.
        settled: Vec<Mark>,
    },
}

/// Why the portfolio couldn't be arranged.
#[derive(Debug, thiserror::Error)]
pub enum ArrangeError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes for an id.
    #[error("there are no random bytes")]
    Random(#[from] getrandom::Error),
}

/// Arranges a workspace's companies as of an instant, and makes this what is read. Returns how many there are.
pub async fn arrange(
    table: &Table,
    workspace: &WorkspaceId,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<usize, ArrangeError> {
    let (at, began) = (At { settings, instant: now }, Utc::now());
    let mut marks = table.arranged(workspace, now).await?.marks;
    // What these were left for is in the rows by now.
    marks.retain(|mark| mark.at + SETTLES <= began);
    let rows = rows(table, workspace).await?;
    let mut head = Head {
        id: random_id()?,
        arranged_at: now,
        companies: rows.len(),
        known: BTreeMap::new(),
        summary: Summary::default(),
    };
    for row in &rows {
        head.summary.add(&at.counted(row));
    }
    for sort in Sort::kept() {
        let known = write(table, workspace, &head, sort, &rows, at).await?;
        head.known.insert(sort.name(), known);
    }
    if table.read_from(workspace, &head).await? {
        let gone: Vec<_> = marks.iter().map(|mark| table.unmark(workspace, mark)).collect();
        stream::iter(gone).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }
    Ok(rows.len())
}

/// Compares a workspace's companies with their arrangement as of an instant.
pub async fn compare(
    table: &Table,
    workspace: &WorkspaceId,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Difference, StoreError> {
    let began = Utc::now();
    let arranged = table.arranged(workspace, now).await?;
    let Some(head) = arranged.head.filter(|head| now < head.arranged_at + OLD) else {
        return Ok(Difference::Much);
    };
    let mut known = BTreeMap::new();
    for sheet in 0..head.companies.div_ceil(SHEET) {
        let rows = table.sheet(workspace, &head, Sort::BY_ID, sheet).await?;
        known.extend(rows.into_iter().map(|row| (row.id().clone(), row)));
    }
    let (then, at) = (At { settings, instant: head.arranged_at }, At { settings, instant: now });
    let stands = |at: At<'_>, row: &Row| (at.position(Sort::default(), row), at.counted(row));
    let mut changed: Vec<CompanyId> = Vec::new();
    for row in rows(table, workspace).await? {
        let is_same =
            known.get(row.id()).is_some_and(|known| *known == row && stands(then, known) == stands(at, &row));
        if !is_same {
            changed.push(row.id().clone());
        }
    }
    if changed.len() > FEW + head.companies / OF {
        return Ok(Difference::Much);
    }
    let differs = changed.clone();
    changed.retain(|id| !arranged.marks.iter().any(|mark| mark.company == *id));
    let mut settled = arranged.marks;
    settled.retain(|mark| mark.at + SETTLES <= began && !differs.contains(&mark.company));
    Ok(Difference::Little { changed, settled })
}

/// All rows, read in pages.
async fn rows(table: &Table, workspace: &WorkspaceId) -> Result<Vec<Row>, StoreError> {
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let page = table.companies_after(workspace, rows.last().map(Row::id)).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page.into_iter().map(Row::of));
    }
}

/// Writes the sheets of an order. Returns how many companies have a value in it.
async fn write(
    table: &Table,
    workspace: &WorkspaceId,
    head: &Head,
    sort: Sort,
    rows: &[Row],
    at: At<'_>,
) -> Result<usize, StoreError> {
    let mut placed: Vec<(Position, &Row)> = rows.iter().map(|row| (at.position(sort, row), row)).collect();
    placed.sort_unstable_by(|(a, _), (b, _)| sort.compare(a, b));
    let known = placed.iter().filter(|(position, _)| position.is_known()).count();
    let first: Vec<Position> = placed.iter().step_by(SHEET).map(|(position, _)| position.clone()).collect();
    table.put_contents(workspace, head, sort, &first).await?;
    let sheets: Vec<_> = placed
        .chunks(SHEET)
        .enumerate()
        .map(|(number, sheet)| async move {
            let rows: Vec<&Row> = sheet.iter().map(|(_, row)| *row).collect();
            table.put_sheet(workspace, head, sort, number, &rows).await
        })
        .collect();
    stream::iter(sheets).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    Ok(known)
}
