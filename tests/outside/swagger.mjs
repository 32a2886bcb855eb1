// Swagger UI in a real browser: every operation is executed with the examples of the document as they stand, and each must
// end with its first success code. The page may talk to its own server alone, and nothing may be written to its console.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

// Under a name: on localhost Swagger UI is more modest than anywhere else (it does not ask its validator on the web).
const HOST = "debtgate.test";
const url = process.env.DEMO_URL.replace("127.0.0.1", HOST);
const token = process.env.DEMO_TOKEN;

const profile = mkdtempSync(join(tmpdir(), "swagger-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: "/usr/bin/chromium",
  viewport: { width: 1280, height: 1600 },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    `--host-resolver-rules=MAP ${HOST} 127.0.0.1, MAP * ~NOTFOUND`,
  ],
});

const complaints = [];
const page = await context.newPage();
page.setDefaultTimeout(30_000);
context.on("request", (request) => {
  const address = new URL(request.url());
  const own = address.origin === url || address.protocol === "data:";
  if (!own) complaints.push(`a request to ${address.href}`);
});
page.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) complaints.push(`the console: ${message.text()}`);
});
page.on("pageerror", (error) => complaints.push(`the page: ${error.message}`));

// The ОГРН of the demo's organisation is in its name.
const REGISTRY = {
  name: "Реестр 1027700132195.xlsx",
  mimeType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  buffer: readFileSync(new URL("../../api/src/demo/registry.xlsx", import.meta.url)),
};

/** Presses Execute in an open operation and gives the status of the reply, once the page shows it. */
async function execute(block) {
  const replied = page.waitForResponse((response) => /^\/(v1|health)\//.test(new URL(response.url()).pathname));
  await block.getByRole("button", { name: "Execute" }).click();
  const reply = await replied;
  const status = String(reply.status());
  await block.locator(".live-responses-table .response-col_status", { hasText: status }).last().waitFor();
  if ((await reply.text()).startsWith('{"items":[]')) complaints.push(`${reply.url()}: the example finds nothing`);
  return status;
}

/** Until the jobs of the demo have seen that somebody wrote over an answer. */
async function difference() {
  const headers = { Authorization: `Bearer ${token}` };
  for (let second = 0; second < 120; second += 1) {
    const report = await fetch(`${process.env.DEMO_URL}/v1/reconciliation`, { headers });
    if ((await report.json()).mismatches.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function screenshot(name) {
  await page.screenshot({ path: `${name}.png` });
}

try {
  await page.goto(`${url}/docs/`);
  await page.locator(".opblock-tag").first().waitFor();
  await screenshot("swagger");

  await page.getByRole("button", { name: "Authorize" }).first().click();
  await page.locator(".auth-container input").fill(token);
  await page.locator(".auth-container").getByRole("button", { name: /^(Apply|Authorize)/ }).click();
  await screenshot("swagger-authorize");
  await page.getByRole("button", { name: "Close" }).last().click();

  const { paths } = JSON.parse(readFileSync(process.env.OPENAPI, "utf8"));
  // First of all the question about an answer: a minute after it was placed GIS has confirmed it, and nothing is left to ask.
  const first = ({ operationId }) => Number(operationId === "refresh_answer");
  const all = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method, ...operation })),
  );
  all.sort((one, other) => first(other) - first(one));
  for (const { path, method, operationId, tags, responses } of all) {
    const block = page.locator(`[id="operations-${tags[0]}-${operationId}"]`);
    const unfold = block.locator(".opblock-summary-control");
    const group = page.locator(`.opblock-tag[data-tag="${tags[0]}"]`);
    const expect = async (expected) => {
      const status = await execute(block).catch((error) => {
        throw new Error(`${method} ${path}: ${error.message}`);
      });
      if (status !== expected) complaints.push(`${method} ${path}: ${status}, not ${expected}`);
    };
    await group.click();
    await unfold.click();
    if (operationId === "list_reconciliation_items") await difference();
    if (operationId === "upload_registry") {
      await block.locator('[data-property-name="registry"] input[type=file]').setInputFiles(REGISTRY);
    }
    // The example of create_answer asks to submit.
    await expect(operationId === "create_answer" ? "202" : Object.keys(responses)[0]);
    if (["list_debt_requests", "create_answer", "upload_attachment"].includes(operationId)) {
      await block.evaluate((element) => element.scrollIntoView());
      await screenshot(`swagger-${operationId}`);
    }
    if (operationId === "upload_attachment") {
      await block.locator("select.content-type").first().selectOption("multipart/form-data");
      const file = { name: "Акт сверки.txt", mimeType: "text/plain", buffer: Buffer.from("Акт сверки") };
      await block.locator("input[type=file]").setInputFiles(file);
      await expect("201");
      await screenshot("swagger-upload-form");
    }
    await unfold.click();
    await group.click();
  }
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
assert.deepEqual(complaints, []);
