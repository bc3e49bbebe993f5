// What an engineer writes against the generated types; a misnamed field or a wrong type doesn't compile.

import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

declare const process: { env: Record<string, string | undefined> };

type Company = components['schemas']['CompanyView'];

const api = createClient<paths>({
  baseUrl: process.env.URL ?? '',
  headers: { Authorization: `Bearer ${process.env.TOKEN}` },
});

function equal<T>(what: string, found: T, wanted: T) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }
  console.log(`  ✓ ${what}`);
}

/** All companies, page by page. */
async function portfolio(): Promise<Company[]> {
  const companies: Company[] = [];
  let cursor: string | null = null;
  do {
    const query: { sort: 'name'; limit: number; cursor?: string } = { sort: 'name', limit: 2, ...(cursor && { cursor }) };
    const { data, error } = await api.GET('/v1/companies', { params: { query } });
    // The same path answers CSV to who prefers that.
    if (!data || typeof data === 'string') throw new Error(error?.detail);
    companies.push(...data.items);
    cursor = data.next_cursor;
  } while (cursor);
  return companies;
}

const companies = await portfolio();
equal('companies come page by page', companies.map((company) => company.company_id), ['acme', 'globex', 'initrode']);

const path = { company_id: 'acme' };
const one = await api.GET('/v1/companies/{company_id}', { params: { path } });
if (!one.data) throw new Error(one.error.detail);
equal('one company is read', [one.data.name, one.data.happiness.level], ['ACME', 'not_happy']);

const set = await api.PUT('/v1/companies/{company_id}/status', {
  params: { path, header: { 'If-Match': one.response.headers.get('etag') ?? '*' } },
  body: { status: 'steady', note: 'From TypeScript.' },
});
if (!set.data) throw new Error(set.error.detail);
equal('a status is set', [set.data.value, set.data.note], ['steady', 'From TypeScript.']);

const wrong = await api.PUT('/v1/companies/{company_id}/status', { params: { path }, body: { status: 'steady', note: ' ' } });
equal('a problem says where', [wrong.response.status, wrong.error?.code, wrong.error?.errors?.[0]?.pointer], [422, 'invalid', '/note']);

const missing = await api.GET('/v1/companies/{company_id}', { params: { path: { company_id: 'nobody' } } });
equal('what isn’t there is a problem', [missing.error?.status, missing.error?.code], [404, 'not_found']);

const tasks = await api.GET('/v1/tasks', { params: { query: { state: 'open' } } });
const task = tasks.data?.items[0];
if (!task) throw new Error('no task');
const done = await api.PATCH('/v1/tasks/{id}', { params: { path: { id: task.id } }, body: { state: 'done', note: 'Called.' } });
equal('a task is done', [done.data?.state, done.data?.note], ['done', 'Called.']);
