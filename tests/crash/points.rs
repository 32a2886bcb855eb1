//! The program dies at every marked point of the way of an answer, by its own SIGKILL, and is started again: whatever was
//! known nowhere but there is found out or done anew, and exactly what was posted is in force. `docs/faults.md` has the
//! table; GIS does as it should here, so nothing may be sent twice either.

use std::os::unix::process::ExitStatusExt as _;
use std::thread;
use std::time::Duration;

use debt_core::crash::Point;
use debt_core::domain::event::EventKind;
use gis_sim::Control;
use gis_sim::faults::{Kind, Rule, Target, When};
use reqwest::Method;
use test_support::postgres::{for_postgres_url, for_sqlite_url};

use crate::alone;
use crate::clients::Accepted;
use crate::plan::{Extent, Post};
use crate::world::World;

/// Worlds of each database that stand side by side; nearly all of the time is spent waiting.
const LANES: usize = 3;
/// Debt requests that are answered around one death.
const ROUND: usize = 3;
/// The one of them that was answered before.
const CORRECTED: usize = 2;
/// Bytes of the paper that comes with a debt, and some.
const PAPER: usize = 500;
/// Between two looks at what GIS has received.
const PAUSE: Duration = Duration::from_millis(5);
const SIGKILL: i32 = 9;

/// How the program dies.
#[derive(Debug, Clone, Copy)]
enum Death {
    /// By itself.
    At(Point),
    /// By our hand, while GIS has a package and has not acknowledged it.
    DuringTheCall,
}

impl Death {
    fn all() -> impl Iterator<Item = Self> {
        Point::ALL.iter().copied().map(Self::At).chain([Self::DuringTheCall])
    }

    /// What makes the program die there.
    fn variable(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::At(point) => Some(("DEBTGATE__TESTING__CRASH_AT", point.as_str())),
            Self::DuringTheCall => None,
        }
    }

    /// How many calls GIS has received when the program is dead, of the operation that the point is about.
    fn calls(self) -> Option<(Target, usize)> {
        let imports = |count| Some((Target::ImportResponses, count));
        match self {
            Self::At(
                Point::BeforeCommit | Point::AfterCommit | Point::AttemptWritten | Point::MessageArchived,
            ) => imports(0),
            Self::DuringTheCall | Self::At(Point::Acknowledged | Point::AcknowledgementRecorded) => {
                imports(1)
            }
            Self::At(Point::FileUploaded | Point::FileRecorded) => Some((Target::UploadFile, 1)),
            Self::At(
                Point::BetweenPolls | Point::ResultReceived | Point::LookReceived | Point::PageReceived,
            ) => None,
        }
    }

    /// Whether the restarted program cannot know what became of an answer, and must ask GIS. Nothing is said where another
    /// package than the one that the point is about may be under way.
    fn leaves_doubt(self) -> Option<bool> {
        match self {
            Self::At(Point::AttemptWritten | Point::MessageArchived | Point::Acknowledged)
            | Self::DuringTheCall => Some(true),
            Self::At(Point::BeforeCommit | Point::AfterCommit) => Some(false),
            Self::At(
                Point::AcknowledgementRecorded
                | Point::FileUploaded
                | Point::FileRecorded
                | Point::BetweenPolls
                | Point::ResultReceived
                | Point::LookReceived
                | Point::PageReceived,
            ) => None,
        }
    }
}

#[test]
fn every_marked_point_is_survived() {
    alone(|| {
        thread::scope(|scope| {
            for lane in 0..LANES {
                scope.spawn(move || for_sqlite_url(async |url| die_in_turn(url, lane).await));
                scope.spawn(move || for_postgres_url(async |url| die_in_turn(url, lane).await));
            }
        });
    });
}

/// Every so manieth death, one after the other in one world.
async fn die_in_turn(url: &str, lane: usize) {
    let deaths: Vec<Death> = Death::all().skip(lane).step_by(LANES).collect();
    let answers = ROUND * deaths.len();
    let seed = u64::try_from(lane).unwrap();
    let mut world = World::calm(url, &Extent { seed, answers, kills: deaths.len(), instances: 1 }).await;
    let earlier = (0..deaths.len()).map(|round| Post::new(round * ROUND + CORRECTED, 1, None));
    let mut accepted = world.clients.post(earlier.collect()).await;
    world.rest().await;
    for (round, death) in deaths.into_iter().enumerate() {
        accepted.extend(die_once(&mut world, death, round * ROUND).await);
    }
    world.judge(accepted).await.assert_exactly_once(seed);
}

/// Clients post answers to the debt requests from `first` on, the program dies and comes back, and all becomes final.
async fn die_once(world: &mut World, death: Death, first: usize) -> Vec<Accepted> {
    world.fleet.kill(0);
    world.fleet.start_with(0, death.variable()).await;
    let (mark, repeated) = (world.gis().state().calls, world.clients.repeats());
    match death {
        // GIS takes it, and the program waits in vain for the acknowledgement.
        Death::DuringTheCall => {
            strike_next_package(world.gis(), Kind::Slow { duration: Duration::from_secs(3600) });
        }
        // It will not be done when it is asked for the first time.
        Death::At(Point::BetweenPolls) => {
            strike_next_package(world.gis(), Kind::Late { by: Duration::from_secs(2) });
        }
        // What comes of it is the death.
        Death::At(Point::PageReceived) => {
            drop(world.living().call(Method::POST, "/v1/sync-runs").attempt().await);
        }
        Death::At(_) => {}
    }
    let posts = vec![
        Post::new(first, 1, None),
        Post::new(first + 1, 1, Some(PAPER)),
        Post::new(first + CORRECTED, 2, None),
    ];
    let gis = world.gis().clone();
    let World { fleet, clients, .. } = world;
    let strike = async {
        if matches!(death, Death::DuringTheCall) {
            while calls(&gis, mark, Target::ImportResponses) == 0 {
                tokio::time::sleep(PAUSE).await;
            }
            fleet.kill(0);
        } else {
            let status = fleet.death(0).await;
            let signal = status.and_then(|status| status.signal());
            assert_eq!(signal, Some(SIGKILL), "{death:?} is not reached, or ends otherwise: {status:?}");
        }
        if let Some((operation, count)) = death.calls() {
            assert_eq!(calls(&gis, mark, operation), count, "{death:?}: {operation:?} received by GIS");
        }
        fleet.start_again(0).await;
    };
    let (accepted, ()) = tokio::join!(clients.post(posts), strike);
    if matches!(death, Death::At(Point::BeforeCommit | Point::AfterCommit)) {
        assert!(world.clients.repeats() > repeated, "{death:?}: a client had no reply");
    }
    world.rest().await;
    world.read().await;
    let uploads = calls(&gis, mark, Target::UploadFile);
    match death {
        Death::At(Point::FileUploaded) => assert_eq!(uploads, 2, "what was not recorded is done again"),
        Death::At(Point::FileRecorded) => assert_eq!(uploads, 1, "what was recorded is not done again"),
        Death::At(_) | Death::DuringTheCall => {}
    }
    let mut doubtful = 0;
    for answer in &accepted {
        let told = story(world, answer).await;
        doubtful += usize::from(told.iter().any(|event| event == EventKind::AnswerUncertain.as_str()));
        // A correction: the earlier answer, its withdrawal, the new one.
        let expected = if answer.request == first + CORRECTED { 3 } else { 1 };
        assert_eq!(effects(world, answer), expected, "{death:?}: effects in GIS after {told:?}");
    }
    let uncertain = doubtful > 0;
    assert_eq!(uncertain, death.leaves_doubt().unwrap_or(uncertain), "{death:?}: an answer was uncertain");
    if matches!(death, Death::At(Point::AcknowledgementRecorded)) {
        assert!(doubtful < accepted.len(), "the package whose acknowledgement was recorded leaves no doubt");
    }
    accepted
}

/// Calls of an operation that GIS has received since a mark.
fn calls(gis: &Control, mark: u64, operation: Target) -> usize {
    let calls = gis.calls(mark, usize::MAX);
    calls.iter().filter(|call| call.operation == Some(operation)).count()
}

/// The events of the debt request of an answer.
async fn story(world: &World, answer: &Accepted) -> Vec<String> {
    let path = format!("/v1/debt-requests/{}/history", world.requests[answer.request]);
    let events = world.living().walk(&path).await;
    events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

/// How often GIS has changed what it holds for the debt request of an answer.
fn effects(world: &World, answer: &Accepted) -> usize {
    let request = world.requests[answer.request].parse().unwrap();
    world.gis().subrequest(request).unwrap().history.len()
}

/// Something happens to the next package.
fn strike_next_package(gis: &Control, kind: Kind) {
    let (operation, when) = (Target::ImportResponses, When::Next(1));
    gis.add_fault(Rule { operation, organization: None, subrequest: None, when, kind }).unwrap();
}

#[test]
fn every_point_has_its_row_in_the_documents() {
    let table = include_str!("../../docs/faults.md");
    for point in Point::ALL {
        assert!(table.contains(&format!("| `{point}`: ")), "{point}");
    }
}
