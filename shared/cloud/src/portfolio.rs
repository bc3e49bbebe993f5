//! The portfolio of a workspace: lists of its companies in any order, a page at a time, and how many stand where.
//!
//! A list is read from the arrangement ([`crate::table::arranged`]), whose cost doesn't grow with the number of companies;
//! companies that were changed since are taken from their rows, and put where they belong now. Before there is an
//! arrangement all companies are such companies. What is sorted is sorted as of the instant of the arrangement, so that
//! a cursor means the same on every page; what is shown is as of now.

mod arrange;
mod changed;
mod walk;

pub use arrange::{ArrangeError, Difference, arrange, compare};

use barometer_domain::{Settings, WorkspaceId};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::{StreamExt, TryStreamExt, pin_mut, stream};

use crate::{
    StoreError, Table,
    listing::{self, Counted, Filter, Position, Sort, Summary},
    table::{
        arranged::{Copied, Head, Row},
        companies::Company,
    },
    views::{self, CompanyView},
};
use walk::{Segment, segments};

/// Sheets that are read at the same time where all are needed.
const AT_ONCE: usize = 8;

/// When, and under which settings: what follows from an instant follows from this one.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The workspace's settings.
    pub settings: &'a Settings,
    /// The instant.
    pub instant: DateTime<Utc>,
}

impl At<'_> {
    /// The local day.
    pub fn today(self) -> NaiveDate {
        self.settings.time_zone.date(self.instant)
    }

    fn view(self, row: &Row) -> CompanyView {
        views::company(row.company(), self.settings, self.instant)
    }

    fn position(self, sort: Sort, row: &Row) -> Position {
        sort.position(&self.view(row), self.today())
    }

    fn counted(self, row: &Row) -> Counted {
        Counted::of(&self.view(row), self.today())
    }
}

/// Where a list begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Begin {
    /// With its first company.
    #[default]
    First,
    /// Behind a position.
    Behind(Position),
    /// Behind so many companies.
    Skipping(usize),
}

/// What of the portfolio is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which companies.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// From where on.
    pub begin: Begin,
    /// Most companies.
    pub limit: usize,
    /// Whether those that fit are counted to the end of the list.
    pub count: bool,
}

impl Wanted {
    /// All that weren't lost, in an order.
    pub fn all(sort: Sort) -> Self {
        Self { filter: Filter::default(), sort, begin: Begin::First, limit: usize::MAX, count: false }
    }
}

/// A company of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Where it stands in the list.
    pub position: Position,
    /// The company as of now.
    pub company: CompanyView,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The companies in order.
    pub companies: Vec<Placed>,
    /// Whether there are more behind them.
    pub more: bool,
    /// All that fit, those before the beginning among them; nothing when they weren't counted.
    pub matching: Option<usize>,
}

/// The arrangement, and where its sheets lie.
#[derive(Debug, Clone)]
struct Arrangement<'a> {
    table: &'a Table,
    workspace: &'a WorkspaceId,
    head: Head,
}

/// A workspace's portfolio as it stands.
#[derive(Debug, Clone)]
pub struct Portfolio<'a> {
    /// The present.
    now: At<'a>,
    /// The arrangement; nothing when there is none.
    arranged: Option<Arrangement<'a>>,
    /// Companies that aren't as they were arranged.
    changed: Vec<Copied>,
}

impl<'a> Portfolio<'a> {
    /// Opens a workspace's portfolio.
    pub async fn open(
        table: &'a Table,
        workspace: &'a WorkspaceId,
        settings: &'a Settings,
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let arranged = table.arranged(workspace, now).await?;
        match arranged.head {
            // Reading a company on its own costs several times what its part of all costs.
            Some(head) if arranged.marks.len() * 4 <= head.companies.max(64) => {
                let arranged_at = At { settings, instant: head.arranged_at };
                let arrangement = Arrangement { table, workspace, head };
                let changed =
                    changed::read(&arrangement, arranged.copies, &arranged.marks, arranged_at).await?;
                Ok(Self { now: At { settings, instant: now }, arranged: Some(arrangement), changed })
            }
            _ => Ok(Self::of(table.companies(workspace).await?, settings, now)),
        }
    }

    /// The portfolio of companies as they are given.
    pub fn of(companies: Vec<Company>, settings: &'a Settings, now: DateTime<Utc>) -> Self {
        let rows = companies.into_iter().map(Row::of);
        let changed = rows.map(|row| Copied { row: Some(row), was: None, read_at: now }).collect();
        Self { now: At { settings, instant: now }, arranged: None, changed }
    }

    /// Whether a company has a reason that calls for somebody.
    pub fn calls(&self, company: &CompanyView) -> bool {
        listing::calls(company, self.now.today())
    }

    /// The instant for which companies are sorted.
    fn sorted_at(&self) -> At<'a> {
        let instant = self.arranged.as_ref().map_or(self.now.instant, |it| it.head.arranged_at);
        At { instant, ..self.now }
    }

    /// How many companies stand where.
    pub fn summary(&self) -> Summary {
        let mut summary = self.arranged.as_ref().map(|it| it.head.summary.clone()).unwrap_or_default();
        for changed in &self.changed {
            if let Some(was) = &changed.was {
                summary.remove(was);
            }
            if let Some(row) = &changed.row {
                summary.add(&self.now.counted(row));
            }
        }
        summary
    }

    /// A page of a list. Without a filter it reads the sheets that it shows; with one, as many as it takes.
    pub async fn list(&self, wanted: &Wanted) -> Result<Found, StoreError> {
        let (sort, today) = (wanted.sort, self.now.today());
        let behind = |position: &Position| match &wanted.begin {
            Begin::Behind(after) => sort.compare(position, after).is_gt(),
            Begin::First | Begin::Skipping(_) => true,
        };
        let mut skip = match wanted.begin {
            Begin::Skipping(count) => count,
            Begin::First | Begin::Behind(_) => 0,
        };
        let mut changed = self.changed_rows(sort);
        changed.retain(|(position, _)| behind(position));
        let mut changed = changed.into_iter().peekable();

        let segments = self.segments(wanted).await?;
        let whole = wanted.count || wanted.limit == usize::MAX;
        let sheets: Vec<_> = segments.into_iter().map(|segment| self.sheet(sort, segment)).collect();
        let sheets = stream::iter(sheets).buffered(if whole { AT_ONCE } else { 1 });
        pin_mut!(sheets);

        let (mut found, mut matching) = (Found::default(), 0_usize);
        // Returns whether the list goes on.
        let mut take = |position: Position, row: &Row| {
            let company = self.now.view(row);
            if !wanted.filter.fits(&company, today) {
                return true;
            }
            matching += 1;
            if skip > 0 {
                skip -= 1;
            } else if found.companies.len() < wanted.limit {
                found.companies.push(Placed { position, company });
            } else {
                found.more = true;
                return wanted.count;
            }
            true
        };
        let mut goes_on = true;
        while let Some(sheet) = if goes_on { sheets.try_next().await? } else { None } {
            for (position, row) in sheet.into_iter().filter(|(position, _)| behind(position)) {
                while let Some((position, row)) =
                    changed.next_if(|(before, _)| goes_on && sort.compare(before, &position).is_lt())
                {
                    goes_on = take(position, row);
                }
                goes_on = goes_on && take(position, &row);
                if !goes_on {
                    break;
                }
            }
        }
        while let Some((position, row)) = changed.next_if(|_| goes_on) {
            goes_on = take(position, row);
        }
        found.matching = wanted.count.then_some(matching);
        Ok(found)
    }

    /// All companies of a filter in an order.
    pub async fn all(&self, filter: Filter, sort: Sort) -> Result<Vec<CompanyView>, StoreError> {
        let found = self.list(&Wanted { filter, ..Wanted::all(sort) }).await?;
        Ok(found.companies.into_iter().map(|placed| placed.company).collect())
    }

    /// The changed companies with their positions, in order.
    fn changed_rows(&self, sort: Sort) -> Vec<(Position, &Row)> {
        let at = self.sorted_at();
        let rows = self.changed.iter().filter_map(|changed| changed.row.as_ref());
        let mut rows: Vec<_> = rows.map(|row| (at.position(sort, row), row)).collect();
        rows.sort_by(|(a, _), (b, _)| sort.compare(a, b));
        rows
    }

    /// The parts of the arrangement that a list may show, in its order.
    async fn segments(&self, wanted: &Wanted) -> Result<Vec<Segment>, StoreError> {
        let Some(Arrangement { table, workspace, head }) = &self.arranged else { return Ok(Vec::new()) };
        let sort = wanted.sort;
        let known = head.known.get(&sort.as_kept().name()).copied().unwrap_or(head.companies);
        let all = segments(head.companies, known, sort.is_turned());
        let Begin::Behind(after) = &wanted.begin else { return Ok(all) };
        let first = table.contents(workspace, head, sort).await?;
        Ok(all.into_iter().filter(|segment| segment.reaches_behind(after, sort, &first)).collect())
    }

    /// The rows of a segment with their positions, without those that were changed.
    async fn sheet(&self, sort: Sort, segment: Segment) -> Result<Vec<(Position, Row)>, StoreError> {
        let Some(Arrangement { table, workspace, head }) = &self.arranged else { return Ok(Vec::new()) };
        let rows = table.sheet(workspace, head, sort, segment.sheet).await?;
        let at = self.sorted_at();
        let was_changed =
            |row: &Row| self.changed.binary_search_by(|changed| changed.id().cmp(&Some(row.id()))).is_ok();
        let rows = segment.of(rows).into_iter().filter(|row| !was_changed(row));
        Ok(rows.map(|row| (at.position(sort, &row), row)).collect())
    }
}
