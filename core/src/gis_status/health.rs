//! What the circuits of the operations say about GIS as a whole.

use chrono::{DateTime, Utc};
use gis_client::cadence::Circuit;

use super::{GisHealth, GisState, OperationState};
use crate::store::gis_operations::{Operation, OperationHealth};

/// GIS says with this code that it is being serviced (регламентные работы).
const MAINTENANCE: &str = "INT002029";

/// Judges GIS by its operations; one that was never called counts as well.
pub(super) fn judge(known: &[OperationHealth], now: DateTime<Utc>) -> GisHealth {
    let troubled: Vec<_> = known.iter().filter(|health| is_troubled(health)).collect();
    let last_success_at = known.iter().filter_map(|health| health.last_success_at).max();
    let began = troubled.iter().map(|health| health.since).min();
    let state = match began {
        None => GisState::Ok,
        Some(_) if troubled.iter().any(|health| in_maintenance(health)) => GisState::Maintenance,
        // Operations that are seldom called stay closed through an outage: only a success since it began counts.
        Some(began) if last_success_at.is_none_or(|success| success < began) => GisState::Down,
        Some(_) => GisState::Degraded,
    };
    GisHealth {
        state,
        since: began.or_else(|| known.iter().map(|health| health.since).max()),
        last_success_at,
        next_probe_at: troubled.iter().filter_map(|health| health.circuit.next_call()).min(),
        operations: Operation::ALL.iter().map(|operation| (*operation, of(*operation, known, now))).collect(),
    }
}

fn of(operation: Operation, known: &[OperationHealth], now: DateTime<Utc>) -> OperationState {
    let circuit = known.iter().find(|health| health.operation == operation).map(|health| health.circuit);
    match circuit {
        None | Some(Circuit::Closed { .. }) => OperationState::Ok,
        Some(Circuit::Open { until, .. }) if until > now => OperationState::Paused,
        Some(Circuit::Open { .. } | Circuit::HalfOpen { .. }) => OperationState::Probing,
    }
}

fn is_troubled(health: &OperationHealth) -> bool {
    match health.circuit {
        Circuit::Closed { .. } => false,
        Circuit::Open { .. } | Circuit::HalfOpen { .. } => true,
    }
}

fn in_maintenance(health: &OperationHealth) -> bool {
    let gis = health.last_error.as_ref().and_then(|error| error.gis.as_ref());
    gis.is_some_and(|words| words.code == MAINTENANCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::{GisWords, LastError};

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap()
    }

    fn health(operation: Operation, circuit: Circuit, since: i64, success: Option<i64>) -> OperationHealth {
        let last_success_at = success.map(at);
        OperationHealth { operation, circuit, since: at(since), last_success_at, last_error: None }
    }

    fn closed(operation: Operation, success: i64) -> OperationHealth {
        health(operation, Circuit::Closed { failures: 0 }, 0, Some(success))
    }

    fn open(operation: Operation, since: i64, until: i64) -> OperationHealth {
        health(operation, Circuit::Open { openings: 1, until: at(until) }, since, Some(since - 5))
    }

    #[test]
    fn a_gis_that_was_never_called_is_well() {
        let judged = judge(&[], at(0));
        assert_eq!((judged.state, judged.since, judged.last_success_at), (GisState::Ok, None, None));
        assert_eq!(judged.operations.len(), Operation::ALL.len());
        assert!(judged.operations.values().all(|state| *state == OperationState::Ok));
    }

    #[test]
    fn the_whole_is_judged_by_what_went_through_since_the_trouble_began() {
        let import = || open(Operation::ImportResponses, 10, 20);
        for (known, state) in [
            (vec![closed(Operation::Export, 5)], GisState::Ok),
            (vec![import(), closed(Operation::Export, 11)], GisState::Degraded),
            (vec![import(), closed(Operation::Export, 9)], GisState::Down),
            (vec![import()], GisState::Down),
            (vec![import(), open(Operation::Export, 12, 15)], GisState::Down),
        ] {
            assert_eq!(judge(&known, at(13)).state, state, "{known:?}");
        }
        let judged = judge(&[import(), open(Operation::Export, 12, 15)], at(13));
        assert_eq!((judged.since, judged.next_probe_at), (Some(at(10)), Some(at(15))));
    }

    #[test]
    fn maintenance_has_a_state_of_its_own() {
        let mut import = open(Operation::ImportResponses, 10, 20);
        import.last_error = Some(LastError {
            origin: "gis".to_owned(),
            code: "gis_unavailable".to_owned(),
            detail: String::new(),
            pointer: None,
            gis: Some(GisWords {
                code: MAINTENANCE.to_owned(),
                description: String::new(),
                message_guid: None,
                at: at(10),
            }),
        });
        assert_eq!(judge(&[import.clone()], at(13)).state, GisState::Maintenance);
        import.circuit = Circuit::default();
        assert_eq!(judge(&[import], at(13)).state, GisState::Ok, "an old error is no maintenance");
    }

    #[test]
    fn an_operation_is_probed_once_its_pause_is_over() {
        let half = Circuit::HalfOpen { openings: 1, began: at(12), until: at(16) };
        for (circuit, state) in [
            (Circuit::Closed { failures: 3 }, OperationState::Ok),
            (Circuit::Open { openings: 1, until: at(14) }, OperationState::Paused),
            (Circuit::Open { openings: 1, until: at(13) }, OperationState::Probing),
            (half, OperationState::Probing),
        ] {
            let known = [health(Operation::Files, circuit, 10, None)];
            assert_eq!(judge(&known, at(13)).operations[&Operation::Files], state);
        }
    }
}
