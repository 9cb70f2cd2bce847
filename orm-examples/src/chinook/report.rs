//! The report: the best-selling artists, the longest playlists, and who reports to whom.

use std::fmt;

use orm_core::{Engine, Graph, Handle, Result};

use super::{Album, Artist, Employee, InvoiceLine, Playlist, Track};

/// How many artists and playlists are named.
const BEST: u64 = 10;

/// What the database tells about the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The best-selling artists and the number of their tracks sold, best first.
    pub artists: Vec<(String, i64)>,
    /// The longest playlists, longest first.
    pub playlists: Vec<PlaylistLine>,
    /// The employees, everyone followed by those who report to them.
    pub employees: Vec<EmployeeLine>,
}

/// A playlist and its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaylistLine {
    /// Its name.
    pub name: String,
    /// How many tracks it has.
    pub tracks: i64,
    /// How long they take together.
    pub milliseconds: i64,
}

/// An employee in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmployeeLine {
    /// How many managers are above.
    pub depth: usize,
    /// First name and last name.
    pub name: String,
    /// The title.
    pub title: String,
}

impl Report {
    /// Reads it, by four statements.
    ///
    /// # Errors
    /// The database's.
    pub async fn read(engine: &Engine) -> Result<Self> {
        Ok(Self {
            artists: best_selling_artists(engine).await?,
            playlists: longest_playlists(engine).await?,
            employees: employee_tree(engine).await?,
        })
    }
}

async fn best_selling_artists(engine: &Engine) -> Result<Vec<(String, i64)>> {
    let sold = InvoiceLine::quantity.sum();
    let artists = InvoiceLine::select()
        .join(InvoiceLine::track)
        .join(Track::album)
        .join(Album::artist)
        .group_by((Artist::artist_id, Artist::name))
        .order_by((sold.clone().desc(), Artist::name.asc()))
        .limit(BEST)
        .columns((Artist::name, sold))
        .on(engine)
        .all()
        .await?;
    let named =
        |(name, sold): (Option<String>, Option<i64>)| (or_nameless(name), sold.unwrap_or(0));
    Ok(artists.into_iter().map(named).collect())
}

async fn longest_playlists(engine: &Engine) -> Result<Vec<PlaylistLine>> {
    let length = Track::milliseconds.sum();
    let playlists = Playlist::select()
        .join(Playlist::tracks)
        .group_by((Playlist::playlist_id, Playlist::name))
        .order_by((length.clone().desc(), Playlist::playlist_id.asc()))
        .limit(BEST)
        .columns((Playlist::name, Track::track_id.count(), length))
        .on(engine)
        .all()
        .await?;
    let line = |(name, tracks, length): (Option<String>, i64, Option<i64>)| PlaylistLine {
        name: or_nameless(name),
        tracks,
        milliseconds: length.unwrap_or(0),
    };
    Ok(playlists.into_iter().map(line).collect())
}

async fn employee_tree(engine: &Engine) -> Result<Vec<EmployeeLine>> {
    let employees = Employee::select()
        .order_by(Employee::employee_id.asc())
        .with(Employee::reports.order_by(Employee::employee_id.asc()))
        .on(engine)
        .graph()
        .await?;
    let mut lines = Vec::new();
    for employee in employees.roots() {
        if employees[employee].reports_to.is_none() {
            describe(&employees, employee, 0, &mut lines)?;
        }
    }
    Ok(lines)
}

/// An employee and all below.
fn describe(
    employees: &Graph<Employee>,
    employee: Handle<Employee>,
    depth: usize,
    lines: &mut Vec<EmployeeLine>,
) -> Result<()> {
    let Employee { first_name, last_name, title, .. } = &*employees[employee];
    lines.push(EmployeeLine {
        depth,
        name: format!("{first_name} {last_name}"),
        title: title.clone().unwrap_or_default(),
    });
    for (report, _) in employees.members(employee, Employee::reports)? {
        describe(employees, report, depth + 1, lines)?;
    }
    Ok(())
}

fn or_nameless(name: Option<String>) -> String {
    name.unwrap_or_else(|| "(nameless)".to_owned())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Best-selling artists, by tracks sold")?;
        for (name, sold) in &self.artists {
            writeln!(f, "{sold:>8}  {name}")?;
        }
        writeln!(f, "\nLongest playlists, by hours and minutes")?;
        for PlaylistLine { name, tracks, milliseconds } in &self.playlists {
            let minutes = milliseconds / 60_000;
            writeln!(f, "{:>5}:{:02}  {name} ({tracks} tracks)", minutes / 60, minutes % 60)?;
        }
        writeln!(f, "\nEmployees")?;
        for EmployeeLine { depth, name, title } in &self.employees {
            writeln!(f, "{:indent$}{name}, {title}", "", indent = 2 + 4 * depth)?;
        }
        Ok(())
    }
}
