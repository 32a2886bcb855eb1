//! Identifiers in the examples of the document. The demo puts its own in their place, so that every example succeeds as it
//! stands.

/// A debt request without an answer.
pub const DEBT_REQUEST: &str = "5603dc9c-e161-414c-9787-e40836561101";
/// Another one, for an answer.
pub const DEBT_REQUEST_TO_ANSWER: &str = "5603dc9c-e161-414c-9787-e40836561102";
/// One more, for an answer among many.
pub const DEBT_REQUEST_IN_BULK: &str = "5603dc9c-e161-414c-9787-e40836561103";
/// An answer that GIS has.
pub const ANSWER: &str = "019a4c00-0000-7000-8000-000000000001";
/// A draft to be changed.
pub const ANSWER_TO_EDIT: &str = "019a4c00-0000-7000-8000-000000000002";
/// A draft to be deleted.
pub const ANSWER_TO_DELETE: &str = "019a4c00-0000-7000-8000-000000000003";
/// A draft to be completed.
pub const ANSWER_TO_COMPLETE: &str = "019a4c00-0000-7000-8000-000000000004";
/// A prepared answer to be returned.
pub const ANSWER_TO_RETURN: &str = "019a4c00-0000-7000-8000-000000000005";
/// A draft to be submitted.
pub const ANSWER_TO_SUBMIT: &str = "019a4c00-0000-7000-8000-000000000006";
/// An answer to be cancelled.
pub const ANSWER_TO_CANCEL: &str = "019a4c00-0000-7000-8000-000000000007";
/// An answer to be withdrawn.
pub const ANSWER_TO_REVOKE: &str = "019a4c00-0000-7000-8000-000000000008";
/// A file.
pub const ATTACHMENT: &str = "019a4c00-0000-7000-8000-00000000000a";
/// A file to be deleted.
pub const ATTACHMENT_TO_DELETE: &str = "019a4c00-0000-7000-8000-00000000000b";
/// An operation that has ended.
pub const OPERATION: &str = "019a4c00-0000-7000-8000-00000000000d";
/// An operation to be stopped.
pub const OPERATION_TO_CANCEL: &str = "019a4c00-0000-7000-8000-00000000000e";
/// A spreadsheet that is ready.
pub const EXPORT: &str = "019a4c00-0000-7000-8000-000000000010";
/// A spreadsheet with answers, and with a mistake.
pub const IMPORT: &str = "019a4c00-0000-7000-8000-000000000011";
/// A spreadsheet to be applied.
pub const IMPORT_TO_APPLY: &str = "019a4c00-0000-7000-8000-000000000012";
/// A registry of court debts without mistakes.
pub const REGISTRY: &str = "019a4c00-0000-7000-8000-000000000013";
/// A row of the registry that answers.
pub const COURT_DEBT: &str = "019a4c00-0000-7000-8000-000000000014";
/// Another one, to be deleted.
pub const COURT_DEBT_TO_DELETE: &str = "019a4c00-0000-7000-8000-000000000015";
/// A match with the registry that has ended.
pub const MATCH_RUN: &str = "019a4c00-0000-7000-8000-000000000016";
/// An employee.
pub const EMPLOYEE: &str = "019a4c00-0000-7000-8000-000000000030";
/// An employee to be removed.
pub const EMPLOYEE_TO_DELETE: &str = "019a4c00-0000-7000-8000-000000000031";
/// A department.
pub const DEPARTMENT: &str = "019a4c00-0000-7000-8000-000000000032";
/// A department to be removed.
pub const DEPARTMENT_TO_DELETE: &str = "019a4c00-0000-7000-8000-000000000033";
/// The organisation of the demo.
pub const ORGANIZATION: &str = "019a4c00-0000-7000-8000-000000000040";
/// An organisation to be removed.
pub const ORGANIZATION_TO_DELETE: &str = "019a4c00-0000-7000-8000-000000000041";
/// A supplier that is no organisation here yet.
pub const SUPPLIER: &str = "5603dc9c-e161-414c-9787-e40836561400";
/// A token.
pub const TOKEN: &str = "019a4c00-0000-7000-8000-000000000042";
/// A token to be revoked.
pub const TOKEN_TO_REVOKE: &str = "019a4c00-0000-7000-8000-000000000043";
/// An endpoint of a webhook.
pub const WEBHOOK_ENDPOINT: &str = "019a4c00-0000-7000-8000-000000000034";
/// Another one, to be deleted.
pub const WEBHOOK_ENDPOINT_TO_DELETE: &str = "019a4c00-0000-7000-8000-000000000035";
/// A reading of GIS.
pub const SYNC_RUN: &str = "019a4c00-0000-7000-8000-00000000000c";
/// The first day of a report's period.
pub const FIRST_DAY: &str = "2026-11-01";
/// The last one.
pub const LAST_DAY: &str = "2026-11-30";
/// A workbook with the two columns that every spreadsheet with answers has, and one debt request that it leaves unanswered.
pub const WORKBOOK: &str = "UEsDBBQAAAAIAAAAIQC5Fh4k0AAAAL4BAAATAAAAW0NvbnRlbnRfVHlwZXNdLnhtbK2Ru27DMAxFf8XQWkRMM2QobC9t16ZDfoCV6ViwXhCZ1P\
    n7yOpj6NQCnQiJh/cQYHu8JuJm8S5wpyaR9ADAZiKPrGOiUDpjzB6lPPMJEpoZTwS77XYPJgahIBtZM1TfPtGIZyfN81K+2cbQqUyOVfP4Aa6u\
    TmFKzhqU0odLGH5YNp8GXSYrw5NNfFcABX17uFDOdqDmFbO8oC9xsDh4j3l+i3HWK/YnWxxHa2iI5uzLiOaUCQeeiMQ7Xav2aMMv/BVmqOX+nx\
    f5zv/aA+rZ+htQSwMEFAAAAAgAAAAhAH8RKBaIAAAA7gAAAAsAAABfcmVscy8ucmVsc43PPQ4CIRAF4KtsOMDOamFhgMrG1ngBxOEn/AwBjOvt\
    pVyNheXkvXwvwy8YVfeUm/OlTWuKuQnmei9HgKYdJtVmKphHYqgm1cdZLRSlg7II+2U5QN0aTPKtOZ3vgtUdm66vgv/IZIzXeCL9SJj7j4Gvxp\
    BVtdgFWyM8qYYbUZgHykBy+HhPvgFQSwMEFAAAAAgAAAAhAGuGukOjAAAA6gAAAA8AAAB4bC93b3JrYm9vay54bWyNj8ENwjAMRVeJPABpOXCo\
    2p64MEZoXRK1iSMnCI5wZgDWYAJYId2IqqV3Trb19J/1ywtxfyTqxdUOLlSgY/SFlKHRaFXYkEc3kY7YqjidfJLBM6o2aMRoB7nNsp20yjhYDA\
    X/46CuMw3uqTlbdHGRMA4qGnJBGx+gLucP4TeFUxYrSM/0Sp/xlt7jfXyAmNmhrSAHwYWZFs5B1qVcw3LtV38BUEsDBBQAAAAIAAAAIQBKSXFV\
    jAAAAO8AAAAaAAAAeGwvX3JlbHMvd29ya2Jvb2sueG1sLnJlbHONzzsOwjAMBuCrRDlA3TIwoDQTCyviAlFwHmrzUGwE3J6IARWJgcnyb+n7ZX\
    XG1XAsmUKsJB5pzTTLwFwPAGQDJkNDqZj7xZWWDPe1eajGLsYj7MZxD21rSK22pjhdZ9kmKS7Piv/Ixblo8VjsLWHmHwVwL22hgMgdNc0jz/IT\
    EbzHNHRVglbw9Z9+AVBLAwQUAAAACAAAACEAt1azTggBAACZAQAAGAAAAHhsL3dvcmtzaGVldHMvc2hlZXQxLnhtbHWRTU7DMBCFrxJlHyZO07\
    RFjiUQN+AElmto1PzJtlSWBSFxADZsWHCDLFqoqGivMLkRkwhFIFF5M/NG8z29MV9VZmkXWjvvrshLm/oL5+pzAKsWupD2rKp1SZObyhTSUWtu\
    wdZGy3m/VOQQhWEChcxKX/Beu5JOCm6qlWdSn5GquuKC+Z5L/azMs1JfO0N6ZgV3Ap/xBd8C3OEGt/jVPuCufaTuExuqD+3awyMeaPiBDR7bNU\
    n32HBwgkNHAPXjcHnS4ZU294R9IuzW60EbQu7xvXOkR8jO9y8UKMKQIxpyRCdcxkk4mquZCjRLWBCzWAWzyXQS6DicjpJxwljI/jOAX0eD4TfE\
    N1BLAQIUAxQAAAAIAAAAIQC5Fh4k0AAAAL4BAAATAAAAAAAAAAAAAACAAQAAAABbQ29udGVudF9UeXBlc10ueG1sUEsBAhQDFAAAAAgAAAAhAH\
    8RKBaIAAAA7gAAAAsAAAAAAAAAAAAAAIABAQEAAF9yZWxzLy5yZWxzUEsBAhQDFAAAAAgAAAAhAGuGukOjAAAA6gAAAA8AAAAAAAAAAAAAAIAB\
    sgEAAHhsL3dvcmtib29rLnhtbFBLAQIUAxQAAAAIAAAAIQBKSXFVjAAAAO8AAAAaAAAAAAAAAAAAAACAAYICAAB4bC9fcmVscy93b3JrYm9vay\
    54bWwucmVsc1BLAQIUAxQAAAAIAAAAIQC3VrNOCAEAAJkBAAAYAAAAAAAAAAAAAACAAUYDAAB4bC93b3Jrc2hlZXRzL3NoZWV0MS54bWxQSwUG\
    AAAAAAUABQBFAQAAhAQAAAAA";
