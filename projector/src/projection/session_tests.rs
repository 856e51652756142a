//! The fold of sessions, case by case.

use super::*;
use chrono::TimeDelta;

const PROVISIONAL: Agent = Agent { id: 1, client_id: 1 };
const ANNOUNCED: Agent = Agent { id: 2, client_id: 2 };
const REPEATED: Agent = Agent { id: 3, client_id: 3 };

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000 + second)
}

fn announcement(ip: [u8; 4], user_id: Option<&str>, end_time: Option<DateTime<Utc>>) -> SessionAnnounced {
    let user_id = user_id.map(ToOwned::to_owned);
    SessionAnnounced { user_agent: "ua".into(), ip_address: IpAddr::from(ip), user_id, end_time }
}

/// As the worker does it: the first mention makes the row, then the event is applied.
fn fresh(id: i64, announced: &SessionAnnounced, second: i64) -> Session {
    let mut session = Session::first_seen(id, ANNOUNCED, Some(announced.ip_address), at(second));
    session.announced(id, announced, ANNOUNCED, at(second));
    session
}

#[test]
fn an_event_of_an_unannounced_session_makes_it_provisional() {
    let address = IpAddr::from([192, 0, 2, 1]);
    let session = Session::first_seen(7, PROVISIONAL, Some(address), at(0));
    assert_eq!((session.id, session.announced_id, session.start_time), (7, None, at(0)));
    assert_eq!((session.ip_address, session.user_id), (Some(address), None));
}

#[test]
fn a_late_announcement_replaces_who_it_is_and_keeps_the_earlier_start() {
    for (announced_at, start) in [(-5, at(-5)), (5, at(0))] {
        let mut session = Session::first_seen(7, PROVISIONAL, Some(IpAddr::from([192, 0, 2, 1])), at(0));
        session.announced(9, &announcement([10, 0, 0, 1], Some("ann"), None), ANNOUNCED, at(announced_at));
        assert_eq!((session.id, session.announced_id), (7, Some(9)));
        assert_eq!((session.agent, session.ip_address), (ANNOUNCED, Some(IpAddr::from([10, 0, 0, 1]))));
        assert_eq!((session.user_id.as_deref(), session.start_time), (Some("ann"), start));
    }
}

#[test]
fn of_repeated_announcements_the_first_stays() {
    let mut session = fresh(1, &announcement([10, 0, 0, 1], Some(""), None), 0);
    let before = session.clone();
    session.announced(2, &announcement([10, 0, 0, 2], Some("ben"), None), REPEATED, at(-10));
    assert_eq!(session, before);
}

#[test]
fn a_user_id_fills_in_when_it_was_missing() {
    let mut session = fresh(1, &announcement([10, 0, 0, 1], None, None), 0);
    for (id, user_id) in [(2, None), (3, Some("ann")), (4, Some("ben")), (5, None)] {
        session.announced(id, &announcement([10, 0, 0, 1], user_id, None), REPEATED, at(1));
    }
    assert_eq!(session.user_id.as_deref(), Some("ann"));
}

#[test]
fn the_last_end_in_log_order_wins_and_null_erases_nothing() {
    let mut session = fresh(1, &announcement([10, 0, 0, 1], None, Some(at(90))), 0);
    assert_eq!(session.end_time, Some(at(90)));
    session.ended(at(50));
    assert_eq!(session.end_time, Some(at(50)));
    session.announced(2, &announcement([10, 0, 0, 1], None, Some(at(-60))), REPEATED, at(1));
    session.announced(3, &announcement([10, 0, 0, 1], None, None), REPEATED, at(1));
    assert_eq!(session.end_time, Some(at(-60)), "an end may precede the start");
}

#[test]
fn the_end_of_a_provisional_session_survives_its_announcement() {
    let mut session = Session::first_seen(1, PROVISIONAL, None, at(0));
    session.ended(at(0));
    session.announced(2, &announcement([10, 0, 0, 1], None, None), ANNOUNCED, at(-9));
    assert_eq!((session.end_time, session.start_time), (Some(at(0)), at(-9)));
}

#[test]
fn corrected_fields_are_final() {
    let mut session = Session::first_seen(1, PROVISIONAL, None, at(0));
    let correction = SessionCorrected {
        user_agent: Some("corrected".into()),
        ip_address: Some(IpAddr::from([192, 0, 2, 9])),
        user_id: Some(None),
        end_time: Some(None),
    };
    session.corrected(&correction, Some(REPEATED));
    session.announced(2, &announcement([10, 0, 0, 1], Some("ann"), Some(at(9))), ANNOUNCED, at(-9));
    session.ended(at(8));
    assert_eq!((session.agent, session.ip_address), (REPEATED, correction.ip_address));
    assert_eq!((session.user_id.as_deref(), session.end_time), (None, None));
    assert_eq!(session.start_time, at(-9), "what was not corrected still follows the rules");
}

#[test]
fn only_what_a_correction_names_is_final_and_a_correction_can_be_corrected() {
    let mut session = fresh(1, &announcement([10, 0, 0, 1], None, None), 0);
    session.corrected(&SessionCorrected { end_time: Some(Some(at(7))), ..SessionCorrected::default() }, None);
    session.announced(2, &announcement([10, 0, 0, 1], Some("ann"), Some(at(9))), REPEATED, at(1));
    assert_eq!((session.user_id.as_deref(), session.end_time), (Some("ann"), Some(at(7))));
    session.corrected(&SessionCorrected { end_time: Some(Some(at(8))), ..SessionCorrected::default() }, None);
    assert_eq!((session.end_time, session.corrected), (Some(at(8)), Corrected::END_TIME));
}

#[test]
fn the_latest_event_is_remembered_whatever_the_order() {
    let mut session = Session::first_seen(1, PROVISIONAL, None, at(0));
    for second in [5, 3, -2] {
        session.saw(at(second));
    }
    assert_eq!(session.last_event_at, at(5));
}
