// Five journeys of a billing program, through the TypeScript types that are generated from the document.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./debtgate.js";

type Answer = components["schemas"]["Answer"];
type CreateAnswer = components["schemas"]["CreateAnswer"];
type DebtRequest = components["schemas"]["DebtRequest"];
type Problem = components["schemas"]["Problem"];

const client = createClient<paths>({
  baseUrl: process.env["DEMO_URL"] ?? "",
  headers: { Authorization: `Bearer ${process.env["DEMO_TOKEN"]}` },
});

/** Every call gives its result or a problem. */
function expect<T>({ data, error }: { data?: T; error?: Problem }): T {
  assert(data !== undefined, `${error?.code}: ${error?.detail}`);
  return data;
}

async function listNew(): Promise<DebtRequest[]> {
  const query = { answered: false, has_draft: false, limit: 50 };
  const page = expect(await client.GET("/v1/debt-requests", { params: { query } }));
  // The simulator treats the numbers with these endings in its own bad ways.
  return page.items.filter((item) => !/0[1-6]$/.test(item.request_number));
}

async function answer(request: DebtRequest, name: string, body: CreateAnswer): Promise<Answer> {
  const params = { path: { id: request.id }, header: { "Idempotency-Key": name } };
  body = { ...body, external_id: name };
  return expect(await client.POST("/v1/debt-requests/{id}/answers", { params, body }));
}

function noDebt(): CreateAnswer {
  return { submit: true, has_debt: false };
}

function debt(): CreateAnswer {
  const file = { file_name: "Решение суда.txt", content_base64: Buffer.from("Решение суда").toString("base64") };
  const debtor = { last_name: "Вымышленный", first_name: "Пётр", documents: [{ type_code: "1", ...file }] };
  return { submit: true, has_debt: true, debtors: [debtor] };
}

async function waitUntilFinal({ id }: Answer): Promise<Answer> {
  for (let look = 0; look < 10; look += 1) {
    const params = { path: { id }, query: { wait: 10 } };
    const answer = expect(await client.GET("/v1/answers/{id}", { params }));
    if (answer.is_final) return answer;
  }
  return assert.fail(`${id} has no end`);
}

async function reconcile(names: string[]) {
  return expect(await client.POST("/v1/answers/lookup", { body: { external_ids: names } }));
}

const run = randomUUID();
const [first, second] = await listNew();
assert(first && second);
const sent = [await answer(first, `${run}-1`, noDebt()), await answer(second, `${run}-2`, debt())];
for (const { state } of await Promise.all(sent.map(waitUntilFinal))) assert.equal(state, "delivered");
const found = await reconcile([`${run}-1`, `${run}-2`, `${run}-lost`]);
assert.deepEqual(found.items.map((item) => item.found_by), [`${run}-1`, `${run}-2`]);
assert.deepEqual(found.not_found.external_ids, [`${run}-lost`]);
assert.deepEqual(found.items.map((item) => item.answer.debtors.length), [0, 1]);
