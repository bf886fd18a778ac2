import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { daily, fakeApi, type TestApi, tasks } from '../test-support/fake-api.js'

/** RELIABILITY.md section 7, by row number. What is a rule of schedules or tasks is tested where the rule is. */

let api: TestApi['api']
let fake: TestApi['fake']
beforeAll(async () => {
  ;({ api, fake } = await fakeApi())
  await api.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => api.close())
beforeEach(() => fake.reset())

const json = { 'content-type': 'application/json' }

async function post(body: string | Buffer | object, headers: Record<string, string> = json, url = tasks) {
  const answer = await api.inject({ method: 'POST', url, payload: body, headers })
  return { ...answer.json(), status: answer.statusCode }
}

const text = (fields: string) =>
  `{"name":"x","task":"t","schedule":{"interval":{"every":1,"period":"days"}}${fields}}`

describe('bodies that are not what they should be', () => {
  it('1: empty', async () => {
    expect(await post('')).toMatchObject({ status: 400, code: 'empty_body' })
    expect(await post('', { ...json, 'content-length': '0' })).toMatchObject({
      status: 400,
      code: 'empty_body',
    })
    expect(await post('', {})).toMatchObject({ status: 400, code: 'empty_body' })
    expect(await post(' \n')).toMatchObject({ status: 400, code: 'empty_body' })
  })

  it.each(['null', '[]', '"x"', '1'])('2: %s', async (body) => {
    expect(await post(body)).toMatchObject({ status: 400, code: 'invalid_body' })
  })

  it.each(['{"name":', '{"a":1}x', '{"a":1}{"a":1}', "{'a':1}", '{"a":1,}', '[1', 'NaN'])(
    '3: %s',
    async (body) => {
      expect(await post(body)).toMatchObject({ status: 400, code: 'malformed_json' })
    },
  )

  it('4: a byte order mark is allowed', async () => {
    expect(await post(Buffer.from(`\ufeff${text('')}`))).toMatchObject({ status: 201, name: 'x' })
  })

  it('5: other encodings', async () => {
    const latin1 = { 'content-type': 'application/json; charset=latin1' }
    expect(await post(text(''), latin1)).toMatchObject({ status: 415 })
    const utf16 = { 'content-type': 'application/json; charset=utf-16' }
    expect(await post(Buffer.from(text(''), 'utf16le'), utf16)).toMatchObject({ status: 415 })
    expect(await post(Buffer.from(text(',"description":"\u00ff"'), 'latin1'))).toMatchObject({
      status: 400,
      code: 'not_utf8',
    })
    const utf8 = { 'content-type': 'application/json; charset="UTF-8"' }
    expect(await post(text(''), utf8)).toMatchObject({ status: 201 })
  })

  it.each([
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'text/plain',
    'text/plain; charset=utf-8',
    'application/jsonx',
    'application/json, text/plain',
    'json',
    '*/*',
    'application/merge-patch+json',
  ])('6, 7: %s', async (type) => {
    expect(await post(text(''), { 'content-type': type })).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
    })
  })

  it.each([
    'application/json\t;a=b',
    ' application/json',
    'application/json garbage',
    'application/json;',
    'APPLICATION/JSON',
  ])('8: %j is read as JSON and checked, or refused', async (type) => {
    const answer = await post('{"enabeld":1}', { 'content-type': type })
    expect([400, 415]).toContain(answer.status)
  })

  it('9: 300 KB', async () => {
    const answer = await post(text(`,"description":"${'x'.repeat(300_000)}"`))
    expect(answer).toMatchObject({ status: 413, code: 'body_too_large' })
  })

  it('10: compressed', async () => {
    expect(await post(text(''), { ...json, 'content-encoding': 'gzip' })).toMatchObject({ status: 415 })
  })

  it.each([33, 5_000, 100_000])('11: nested %i deep', async (depth) => {
    const deep = '['.repeat(depth) + ']'.repeat(depth)
    expect(await post(text(`,"args":${deep}`))).toMatchObject({ status: 400, code: 'too_deep' })
  })

  it.each([
    ',"kwargs":{"__proto__":{"x":1}}',
    ',"kwargs":{"a":[{"\\u005f_proto__":1}]}',
    ',"kwargs":{"constructor":{"prototype":{"x":1}}}',
    ',"__proto__":null',
  ])('12: %s', async (fields) => {
    expect(await post(text(fields))).toMatchObject({ status: 400, code: 'forbidden_key' })
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })

  it('13: one key twice, also when written differently', async () => {
    const answer = await post(text(',"kwargs":{"a":{"b":1,"\\u0062":2}}'))
    expect(answer).toMatchObject({ status: 400, code: 'duplicate_key', errors: [{ path: 'kwargs.a.b' }] })
    expect(await post(text(',"name":"y"'))).toMatchObject({ status: 400, code: 'duplicate_key' })
  })

  it('14: ten thousand keys', async () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => `"k${i}":1`).join(',')
    expect(await post(text(`,"kwargs":{${keys}}`))).toMatchObject({ status: 400, code: 'too_many_keys' })
  })

  it('15: numbers beyond all bounds, and minus zero', async () => {
    expect(await post(text(',"args":[1e400]'))).toMatchObject({ status: 400 })
    expect(await post(text(',"args":[NaN]'))).toMatchObject({ status: 400 })
    expect(JSON.stringify((await post(text(',"args":[-0]'))).args)).toBe('[0]')
  })

  it('16: integers that would be altered', async () => {
    for (const number of ['9007199254740993', '-9007199254740993', '12345678901234567890']) {
      expect(await post(text(`,"args":[[${number}]]`))).toMatchObject({
        status: 422,
        code: 'unsafe_number',
        errors: [{ path: 'args[0][0]' }],
      })
    }
    expect(await post(text(',"args":[9007199254740991,"9007199254740993"]'))).toMatchObject({ status: 201 })
  })
})

describe('fields that are not what they should be', () => {
  it.each(['1.5', '"5"', 'true', '-1', '256', '[]'])('17: priority %s', async (priority) => {
    expect(await post(text(`,"priority":${priority}`))).toMatchObject({
      status: 400,
      errors: [{ path: 'priority' }],
    })
  })

  const named = (name: string) => post({ ...daily, name })

  it.each([
    ['18: empty', ''],
    ['18: blank', '   '],
    ['18: 201 characters', 'x'.repeat(201)],
    ['18: 100 000 characters', 'x'.repeat(100_000)],
    ['19: NUL', 'a\u0000b'],
    ['19: newline', 'a\nb'],
    ['19: C1 control', 'a\u0085b'],
    ['21: right-to-left override', 'a\u202eb'],
  ])('%s in a name', async (_, name) => {
    expect(await named(name)).toMatchObject({ status: 400, errors: [{ path: 'name' }] })
  })

  it('18: 200 characters pass, also of four bytes', async () => {
    expect(await named('😀'.repeat(200))).toMatchObject({ status: 201 })
  })

  it('20: a lone surrogate, anywhere', async () => {
    expect(await post(text(',"args":["\\ud800"]'))).toMatchObject({ status: 400, code: 'not_utf8' })
    expect(await post(text(',"args":["\\ud83d\\ude00"]'))).toMatchObject({ status: 201, args: ['😀'] })
  })

  it.each([
    '<script>alert(1)</script>',
    '"><img onerror=x>',
    '{{7*7}}',
    '${' + 'jndi:ldap://x}',
    "'; DROP TABLE tasks",
  ])('24: %s is text', async (name) => {
    expect(await named(name)).toMatchObject({ status: 201, name })
  })

  it('34: fields that are unknown or not writable are named, with a hint', async () => {
    const answer = await post(text(',"enabeld":false,"revision":3,"id":"x"'))
    expect(answer).toMatchObject({ status: 400, code: 'invalid_body' })
    expect(answer.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
      'enabeld',
      'id',
      'revision',
    ])
    expect(answer.errors[0].message).toContain('did you mean enabled?')
  })

  it('56: args and kwargs of the wrong kind', async () => {
    for (const fields of [',"args":{}', ',"args":1', ',"kwargs":[]', ',"kwargs":"x"', ',"headers":[]']) {
      expect(await post(text(fields))).toMatchObject({ status: 400, code: 'invalid_body' })
    }
  })

  it('57: look-alikes of types are data', async () => {
    const args = [{ type: 'Buffer', data: [1] }, { $type: 'x' }, { toJSON: 'x' }]
    expect(await post({ ...daily, args })).toMatchObject({ status: 201, args })
  })

  it.each([
    ['2026-02-30T00:00:00Z', 400],
    ['2026-01-01T00:00:00', 400],
    ['1767225600', 400],
    ['2026-01-01T00:60:00Z', 422],
    ['2026-01-01T24:00:00Z', 422],
    ['1900-01-01T00:00:00Z', 422],
  ])('51, 52: %s', async (startTime, status) => {
    expect(await post({ ...daily, startTime })).toMatchObject({ status, errors: [{ path: 'startTime' }] })
  })
})

describe('paths, queries and headers', () => {
  const get = async (url: string, headers: Record<string, string> = {}) => {
    const answer = await api.inject({ url, headers })
    return { ...(answer.body === '' ? {} : answer.json()), status: answer.statusCode }
  }

  it('25: paths', async () => {
    expect(await get('/v1/namespaces/default/../../x')).toMatchObject({ status: 404 })
    expect(await get(`${tasks}/%00`)).toMatchObject({ status: 404 })
    expect(await get(`${tasks}/%zz`)).toMatchObject({ status: 400, code: 'invalid_path' })
    expect(await get(`${tasks}/${'x'.repeat(8_192)}`)).toMatchObject({ status: 414, code: 'uri_too_long' })
    expect(await get(`${tasks}/a%2Fb`)).toMatchObject({ status: 400, code: 'invalid_path' })
  })

  it.each(['Default', 'a_b', '-a', 'a'.repeat(64), '..', '%20', 'a%2fb'])(
    'namespace %s',
    async (namespace) => {
      const { status } = await get(`/v1/namespaces/${namespace}/tasks`)
      expect(status).toBe(namespace === '..' ? 404 : 400)
    },
  )

  it('30: methods', async () => {
    for (const method of ['PUT', 'DELETE', 'OPTIONS'] as const) {
      const answer = await api.inject({ method, url: tasks })
      expect([answer.statusCode, answer.json().code]).toEqual([405, 'method_not_allowed'])
      expect(answer.headers.allow).toBe('GET, HEAD, POST')
    }
    const overridden = await api.inject({
      method: 'GET',
      url: tasks,
      headers: { 'x-http-method-override': 'POST' },
    })
    expect(overridden.statusCode).toBe(200)
    expect(await raw('TRACE /v1/cluster HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 405/,
    )
    expect(await raw('BREW /v1/cluster HTTP/1.1\r\nHost: localhost\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
  })

  it('32: idempotency keys', async () => {
    for (const key of ['', ' ', 'x'.repeat(201), 'a b', 'ü']) {
      const headers = { ...json, 'idempotency-key': Buffer.from(key).toString('latin1') }
      expect(await post(text(''), headers)).toMatchObject({ status: 400, code: 'invalid_header' })
    }
    expect(await post(text(''), { ...json, 'idempotency-key': 'x'.repeat(200) })).toMatchObject({
      status: 201,
    })
  })

  it.each([
    'limit=-1',
    'limit=0',
    'limit=1e9',
    'limit=+5',
    'limit=%205',
    'limit=0x10',
    'limit=',
    'limit=1.5',
    'limit=1&limit=2',
  ])('62: %s', async (query) => {
    expect(await get(`${tasks}?${query}`)).toMatchObject({ status: 400, code: 'invalid_query' })
  })

  it('62: unknown parameters, other values than true and false, forged and foreign cursors', async () => {
    expect(await get(`${tasks}?sort=constructor`)).toMatchObject({ status: 400, code: 'invalid_query' })
    expect(await get(`${tasks}?__proto__=1`)).toMatchObject({ status: 400 })
    expect(await get(`${tasks}?limits=1`)).toMatchObject({
      errors: [{ message: 'is not known; did you mean limit?' }],
    })
    expect(await get(`${tasks}?enabled=1`)).toMatchObject({ status: 400 })
    expect(await get(`${tasks}?cursor=abc`)).toMatchObject({ status: 400, code: 'invalid_cursor' })
    for (const name of ['a', 'b', 'c']) await post({ ...daily, name })
    const page = await get(`${tasks}?limit=2`)
    expect([page.items.length, page.total]).toEqual([2, 3])
    expect((await get(`${tasks}?limit=2&cursor=${page.nextCursor}`)).items.length).toBe(1)
    expect(await get(`${tasks}?limit=2&q=x&cursor=${page.nextCursor}`)).toMatchObject({
      code: 'invalid_cursor',
    })
    const foreign = `/v1/namespaces/other/tasks?cursor=${page.nextCursor}`
    expect(await get(foreign)).toMatchObject({ status: 400, code: 'invalid_cursor' })
  })

  it('62: a page beyond 200 is 200', async () => {
    for (let i = 0; i < 201; i++) await post({ ...daily, name: `t${i}` })
    expect((await get(`${tasks}?limit=1000000`)).items.length).toBe(200)
  })

  it('63: asOf', async () => {
    expect(await get(`${tasks}?asOf=2030-01-01T00:00:00Z`)).toMatchObject({ status: 422, code: 'invalid' })
    expect(await get(`${tasks}?asOf=999999`)).toMatchObject({ status: 409, code: 'position_not_reached' })
    expect(await get(`${tasks}?asOf=-1`)).toMatchObject({ status: 400 })
    expect(await get(`${tasks}?asOf=yesterday`)).toMatchObject({ status: 400 })
    expect(await get(`${tasks}?minPosition=999999`)).toMatchObject({
      status: 409,
      code: 'position_not_reached',
    })
  })

  it('refuses foreign hosts and origins', async () => {
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '10.0.0.1:7420',
    ]) {
      expect(await get('/livez', { host })).toMatchObject({ status: 403, code: 'host_refused' })
    }
    for (const host of ['localhost:7420', '127.0.0.1', '[::1]:7420', 'LOCALHOST']) {
      expect(await get('/livez', { host })).toMatchObject({ status: 200 })
    }
    const host = 'localhost:7420'
    for (const origin of ['null', 'http://evil.example', 'http://localhost:80', 'https://localhost:7420']) {
      expect(await get('/livez', { host, origin })).toMatchObject({ status: 403, code: 'origin_refused' })
    }
    expect(await get('/livez', { host, origin: 'http://localhost:7420' })).toMatchObject({ status: 200 })
  })
})

describe('what is not yet a request', () => {
  const start = 'POST /v1/namespaces/default/tasks HTTP/1.1\r\nHost: localhost\r\n'

  it('26: headers of 20 KB', async () => {
    expect(await raw(`GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    )
  })

  it('27: Content-Length together with Transfer-Encoding', async () => {
    const answer = await raw(`${start}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(answer).toContain('"code":"bad_request"')
  })

  it('29: connections beyond those that are served are refused, and those that are there go on', async () => {
    const own = await fakeApi()
    await own.api.listen({ host: '127.0.0.1', port: 0 })
    const { port } = own.api.server.address() as AddressInfo
    expect(own.api.server.maxConnections).toBe(4_096)
    own.api.server.maxConnections = 4
    const closed: number[] = []
    const sockets = []
    for (let n = 0; n < 6; n += 1) {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => {})
      await new Promise((resolve) => socket.once('connect', resolve))
      socket.once('close', () => closed.push(n))
    }
    const [first] = sockets
    const answer = new Promise<string>((resolve) => first?.once('data', (data) => resolve(String(data))))
    first?.write('GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    expect(await answer).toContain('200 OK')
    while (closed.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(closed.sort()).toEqual([4, 5])
    for (const socket of sockets) socket.destroy()
    await own.api.close()
  })

  it('28: deadlines for headers and body are set, and looked after every second', () => {
    const { requestTimeout, headersTimeout, keepAliveTimeout } = api.server
    expect([requestTimeout, headersTimeout, keepAliveTimeout]).toEqual([15_000, 10_000, 5_000])
  })
})

/** Sends bytes and answers everything that comes back until the server closes. */
function raw(bytes: string): Promise<string> {
  const { port } = api.server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}
