//! The whole exchange: export, answer, poll, revoke, and who is turned away.

use gis_sim::signature;
use gis_sim::wire::model::ResponseStatus;
use serde_json::json;
use uuid::Uuid;

use super::client::*;

#[tokio::test]
async fn a_signed_exchange_from_export_to_delivery() {
    let simulator = simulator(5, json!({}));
    let client = Client::signing(&simulator);
    let not_sent = filter("<d:responseStatus>NotSent</d:responseStatus>");

    let message = client.export("13.1.10.1", &not_sent).await.acknowledged();
    assert_eq!(client.progress(message).await, "1");
    advance(&simulator, 1);
    assert_eq!(client.progress(message).await, "2");
    advance(&simulator, 1);
    let exported = client.state(message).await;
    assert_eq!(exported.one("RequestState"), "3");
    assert_eq!(exported.all("subrequestData").len(), 5);
    assert_eq!(exported.one("lastPage"), "true");
    let signed = signature::verify(&exported.body).unwrap();
    assert_eq!(signed.certificate.der(), simulator.certificate().der());
    let subrequest: Uuid = exported.all("subrequestGUID")[0].parse().unwrap();

    let original = Uuid::new_v4();
    let package = client.import_message(original, &[no_debt(subrequest, "нет долга")]);
    let accepted = client.post_bytes("importResponses", package).await.unwrap();
    assert_eq!(accepted.one("RequesterMessageGUID"), original.to_string());
    let message = accepted.acknowledged();
    assert_eq!(message.get_version_num(), 1, "GIS gives ids that look time-based");
    advance(&simulator, 2);
    let result = client.state(message).await;
    assert_eq!(result.one("TransportGUID"), transport(subrequest).to_string());
    assert_eq!(result.one("GUID"), subrequest.to_string());
    assert!(result.one("UpdateDate").starts_with("2026-03-16T12:00:0"));
    assert!(
        result.all("MessageGUID").contains(&original.to_string()),
        "the header repeats the first id (Q18)"
    );

    let report = simulator.control().subrequest(subrequest).unwrap();
    assert_eq!(report.held.status, ResponseStatus::Sent);
    assert_eq!(report.held.answer.unwrap().description.as_deref(), Some("нет долга"));
    let history = serde_json::to_value(&report.history).unwrap();
    assert_eq!(history.as_array().unwrap().len(), 1);
    assert_eq!(history[0]["change"], "sent");
    assert_eq!(history[0]["transport"], json!(transport(subrequest)));
    assert_eq!(history[0]["message"], json!(original));
    assert_eq!(history[0]["gis_message"], json!(message));
    assert_eq!(history[0]["ghost"], false);

    let content = by_guid(&[subrequest]) + WITH_RESPONSES;
    let seen = client.exported(&simulator, "13.1.10.1", &content).await;
    assert_eq!(seen.one("responseStatus"), "Sent");
    assert_eq!(seen.one("status"), "Processed");
    assert_eq!(seen.one("description"), "нет долга");
    let open = client.exported(&simulator, "13.1.10.1", &not_sent).await;
    assert_eq!(open.all("subrequestData").len(), 4);
}

#[tokio::test]
async fn signatures_are_checked_as_the_switch_says() {
    let simulator = simulator(1, json!({}));
    let (signing, plain) = (Client::signing(&simulator), Client::new(&simulator));
    let subrequest = {
        signing.export("13.1.10.1", &filter("")).await.acknowledged();
        subrequests(&simulator, &signing)[0]
    };
    let actions = [no_debt(subrequest, "нет долга")];
    let good = signing.import_message(Uuid::new_v4(), &actions);
    let spoiled = good.replace("нет долга", "есть долг");

    let outcomes = async |check: &str| {
        simulator.control().patch_scenario(json!({"signature": {"check": check}})).unwrap();
        let mut outcomes = Vec::new();
        for message in [good.clone(), spoiled.clone(), plain.import_message(Uuid::new_v4(), &actions)] {
            let answer = plain.post_bytes("importResponses", message).await.unwrap();
            outcomes.push(if answer.status == 200 { "ack".to_owned() } else { answer.code() });
        }
        outcomes
    };
    assert_eq!(outcomes("strict").await, ["ack", "AUT011005", "AUT011005"]);
    assert_eq!(outcomes("present").await, ["ack", "ack", "AUT011005"]);
    assert_eq!(outcomes("off").await, ["ack", "ack", "ack"]);
}

#[tokio::test]
async fn strangers_are_turned_away() {
    let known = Uuid::from_u128(0xa);
    let config = gis_sim::Config {
        organizations: vec![known],
        requests: 2,
        scenario: scenario(json!({"signature": {"check": "off"}})),
        ..gis_sim::Config::default()
    };
    let simulator = gis_sim::Sim::start(config).unwrap();
    let client = Client::new(&simulator);
    assert_eq!(client.export("13.1.10.1", &filter("")).await.status, 200);
    let stranger = Client::new(&simulator).of(Uuid::from_u128(0xb));
    let refused = stranger.export("13.1.10.1", &filter("")).await;
    assert_eq!((refused.status, refused.code().as_str()), (500, "AUT011002"));
    assert!(refused.one("faultstring").starts_with("AUT011002: "));

    let lost = client.state(Uuid::new_v4()).await;
    assert_eq!((lost.status, lost.code().as_str()), (500, "INT002013"));
    let period = "<d:requestCreationPeriod><b:startDate>2026-03-01</b:startDate><b:endDate>2026-03-16</b:endDate>\
                  </d:requestCreationPeriod>";
    let message = client.message(Uuid::new_v4(), "exportDRsRequest", "14.0.0.0", period);
    let requester = client.post_bytes("exportDebtRequests", message).await.unwrap();
    assert_eq!(requester.code(), "AUT011003", "a supplier may not act as a requester");
}

#[tokio::test]
async fn a_message_belongs_to_its_organisation() {
    let simulator = lenient(1, json!({}));
    let client = Client::new(&simulator);
    let message = client.export("13.1.10.1", &filter("")).await.acknowledged();
    let other = Client::new(&simulator).of(Uuid::from_u128(0xb));
    assert_eq!(other.state(message).await.code(), "INT002013");
    assert_eq!(client.progress(message).await, "1");
}

#[tokio::test]
async fn long_lists_come_in_blocks() {
    let simulator = lenient(250, json!({}));
    let client = Client::new(&simulator);
    let (mut sizes, mut seen, mut page) = (Vec::new(), Vec::new(), String::new());
    loop {
        let block = client.exported(&simulator, "14.0.0.0", &filter(&page)).await;
        let guids = block.all("subrequestGUID");
        sizes.push(guids.len());
        seen.extend(guids);
        let next = block.all("nextSubrequestGUID");
        let Some(next) = next.first() else { break };
        page = format!("<d:exportSubrequestGUID>{next}</d:exportSubrequestGUID>");
    }
    assert_eq!(sizes, [100, 100, 50]);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 250);
}

#[tokio::test]
async fn nothing_found_is_int002012() {
    let simulator = lenient(1, json!({}));
    let client = Client::new(&simulator);
    let nothing = client.exported(&simulator, "13.1.10.1", &by_guid(&[Uuid::new_v4()])).await;
    assert_eq!((nothing.one("RequestState").as_str(), nothing.code().as_str()), ("3", "INT002012"));
    let known = subrequests(&simulator, &client)[0];
    let missing = Uuid::new_v4();
    let some = client.exported(&simulator, "13.1.10.1", &by_guid(&[known, missing])).await;
    assert_eq!(some.all("subrequestData").len(), 1);
    assert_eq!(some.all("subrequestGUID"), [known.to_string(), missing.to_string()]);
    assert!(some.all("pagedOutput").is_empty());
}

#[tokio::test]
async fn formats_show_the_place_in_their_own_way() {
    let simulator = lenient(60, json!({}));
    let client = Client::new(&simulator);
    let old = client.exported(&simulator, "13.1.10.1", &filter("")).await;
    assert!(!old.all("addressDetails").is_empty() && old.all("HMobjectGUID").is_empty());
    let new = client.exported(&simulator, "15.3.0.0", &filter("")).await;
    assert!(new.all("addressDetails").is_empty(), "Q23: no flat number");
    assert_eq!(new.all("HMobjectGUID").len(), 60);
}

#[tokio::test]
async fn revokes_work_once_and_say_so_in_known_words() {
    let simulator = lenient(1, json!({}));
    let client = Client::new(&simulator);
    client.export("13.1.10.1", &filter("")).await;
    let subrequest = subrequests(&simulator, &client)[0];
    let refused = client.delivered(&simulator, &[revoke(subrequest)]).await;
    assert!(refused.one("Description").contains("(не имеет статус \"Ответ отправлен\")"));
    client.delivered(&simulator, &[no_debt(subrequest, "первый")]).await;
    let done = client.delivered(&simulator, &[revoke(subrequest)]).await;
    assert_eq!(done.all("UpdateDate").len(), 1);
    let report = simulator.control().subrequest(subrequest).unwrap();
    assert_eq!(report.held.status, ResponseStatus::NotSent);
    assert_eq!(report.history.len(), 2);
    let again = client.delivered(&simulator, &[revoke(subrequest)]).await;
    assert_eq!(again.all("ErrorCode").len(), 1);
}

#[tokio::test]
async fn a_send_over_an_answer_follows_the_switch() {
    let simulator = lenient(1, json!({}));
    let client = Client::new(&simulator);
    client.export("13.1.10.1", &filter("")).await;
    let subrequest = subrequests(&simulator, &client)[0];
    client.delivered(&simulator, &[no_debt(subrequest, "первый")]).await;
    client.delivered(&simulator, &[no_debt(subrequest, "второй")]).await;
    let held =
        || simulator.control().subrequest(subrequest).unwrap().held.answer.unwrap().description.clone();
    assert_eq!(held().as_deref(), Some("второй"));
    simulator.control().patch_scenario(json!({"import": {"over_existing": "refused"}})).unwrap();
    let refused = client.delivered(&simulator, &[no_debt(subrequest, "третий")]).await;
    assert_eq!(refused.all("ErrorCode").len(), 1);
    assert_eq!(held().as_deref(), Some("второй"));
}

#[tokio::test]
async fn one_bad_item_spoils_the_package_or_only_itself() {
    let simulator = lenient(2, json!({}));
    let client = Client::new(&simulator);
    client.export("13.1.10.1", &filter("")).await;
    let [one, other] = subrequests(&simulator, &client)[..] else { panic!("two subrequests") };
    // A debt without a debtor.
    let bad = send_with(other, true, "<d:executorGUID>23028cb3-2ee5-42b2-977c-b56b81695e65</d:executorGUID>");
    let package = [no_debt(one, "хороший"), bad];
    let refused = client.delivered(&simulator, &package).await;
    assert!(refused.all("importResult").is_empty());
    assert_eq!(refused.all("ErrorMessage").len(), 1);
    assert_eq!(simulator.control().subrequest(one).unwrap().held.status, ResponseStatus::NotSent);

    simulator.control().patch_scenario(json!({"import": {"bad_value": "item"}})).unwrap();
    let partial = client.delivered(&simulator, &package).await;
    assert_eq!((partial.all("importResult").len(), partial.all("UpdateDate").len()), (2, 1));
    assert_eq!(simulator.control().subrequest(one).unwrap().held.status, ResponseStatus::Sent);
    assert_eq!(simulator.control().subrequest(other).unwrap().held.status, ResponseStatus::NotSent);
}

#[tokio::test]
async fn unreadable_requests_are_refused_as_the_front_end_does() {
    let simulator = lenient(1, json!({}));
    let client = Client::new(&simulator);
    let not_xml = client.post_bytes("getState", "<html>").await.unwrap();
    assert_eq!((not_xml.status, not_xml.code().as_str()), (500, "FMT001300"));
    let version = client.export("16.3.0.0", &filter("")).await;
    assert_eq!(version.status, 400, "Q31: the version of the package instead of the operation's");
    let element = client.export("13.1.10.1", "<d:unknown></d:unknown>").await;
    assert_eq!(element.status, 400, "Q10: a breach of the schema");
    simulator.control().patch_scenario(json!({"replies": {"schema_violation": "fault"}})).unwrap();
    let element = client.export("13.1.10.1", "<d:unknown></d:unknown>").await;
    assert_eq!((element.status, element.code().as_str()), (500, "FMT001300"));
    let period =
        client.exported(&simulator, "13.1.10.1", &filter("").replace("2026-02-01", "2025-02-01")).await;
    assert_eq!(period.one("RequestState"), "3");
    assert_eq!(period.all("ErrorMessage").len(), 1, "Q30: more than six months");

    let request = client.http().post(format!("{}{SOAP_PATH}", client.url));
    let soap_12 = request.header("Content-Type", "application/soap+xml").body("<a/>").send().await.unwrap();
    assert_eq!(soap_12.status().as_u16(), 415);
    let large = vec![b' '; gis_sim::server::MOST_SOAP_BYTES + 1];
    if let Ok(answer) = client.post_bytes("getState", large).await {
        assert_eq!(answer.status, 413);
    }
    let outcomes: Vec<_> = simulator.control().calls(0, 100).into_iter().map(|call| call.outcome).collect();
    assert_eq!(
        outcomes,
        ["fault FMT001300", "http 400", "http 400", "fault FMT001300", "ack", "state 3 INT009002"]
    );
}

#[tokio::test]
async fn probes_find_someone_at_home() {
    let simulator = lenient(1, json!({}));
    let client = Client::new(&simulator);
    let get = async |path: &str| {
        let response = client.http().get(format!("{}{path}", client.url)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let (status, wsdl) = get(&format!("{SOAP_PATH}?wsdl")).await;
    let document = roxmltree::Document::parse(&wsdl).unwrap();
    let operations = document.descendants().filter(|node| node.tag_name().name() == "operation").count();
    assert_eq!((status, operations), (200, 5));
    assert_eq!(get(SOAP_PATH).await.0, 200);
    assert_eq!(get("/elsewhere").await.0, 404);
}
