// Made from openapi.json by `UPDATE_DOCS=1 npx vitest run tests/client`.

export type Schedule = {
  interval: {
    /** Whole number. */
    every: number
    period: "days" | "hours" | "minutes" | "seconds" | "microseconds"
  }
} | {
  crontab: {
    /** Five fields (`0 2 * * *`), or `@daily` and its like. Excludes the fields. */
    expression?: string
    /** Left out: `0`. */
    second?: string
    /** 0-59; left out: `*`. */
    minute?: string
    /** 0-23; left out: `*`. */
    hour?: string
    /** 1-31; left out: `*`. */
    dayOfMonth?: string
    /** 1-12 or names; left out: `*`. */
    monthOfYear?: string
    /** 0-7 or names, Sunday is 0 and 7; left out: `*`. */
    dayOfWeek?: string
    /** IANA zone; default `UTC`. */
    timezone?: string
    /** How the two day fields combine; default `and`. */
    dayMode?: "and" | "or"
    /** True: `expression` has six fields, seconds first. */
    seconds?: boolean
    dst?: {
      gap?: "shift" | "skip" | "firstValid"
      overlap?: "auto" | "first" | "second" | "both"
    }
  }
} | {
  solar: {
    event: "dawn_astronomical" | "dawn_nautical" | "dawn_civil" | "sunrise" | "solar_noon" | "sunset" | "dusk_civil" | "dusk_nautical" | "dusk_astronomical"
    latitude: number
    longitude: number
  }
} | {
  clocked: {
    /** The one instant. */
    at: string
  }
} | {
  union: Array<{ [key: string]: unknown }>
} | {
  except: {
    /** A schedule. */
    base: { [key: string]: unknown }
    exclude: Array<{ [key: string]: unknown }>
  }
} | {
  /** Name of a shared schedule. */
  ref: string
}

export type CalendarDays = {
  /** IANA zone; default `UTC`. */
  timezone?: string
  dates?: string[]
  annual?: string[]
  weekdays?: Array<"sun" | "mon" | "tue" | "wed" | "thu" | "fri" | "sat">
  ranges?: Array<{
    from: string
    to: string
  }>
}

/** By method and path. */
export interface Operations {
  /** This document. */
  'GET /openapi.json': {
    path: object
    query: object
    body: undefined
    answer: null
  }
  /** Create a task. */
  'POST /v1/namespaces/{namespace}/tasks': {
    path: { namespace: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args?: unknown[]
      /** Named arguments, any JSON. */
      kwargs?: { [key: string]: unknown }
      /** Message headers of your own. */
      headers?: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue?: string | null
      /** Exchange to route by, in place of a queue. */
      exchange?: string | null
      /** Routing key; also the key of the message. */
      routingKey?: string | null
      /** Higher goes first. */
      priority?: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires?: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds?: number | null
      /** Run once, then disable. */
      oneOff?: boolean
      /** Run so many times, then disable. */
      maxRuns?: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime?: string | null
      /** Default true. */
      enabled?: boolean
      /** For people. */
      description?: string
      /** For finding: at most 32. */
      labels?: { [key: string]: string }
      /** What becomes of occurrences that could not be decided on time. */
      catchUp?: {
        /** Default `latest`: one late run. */
        policy?: "latest" | "all" | "none"
        /** Missed occurrences older than this are skipped as misfires; null: no limit. */
        windowSeconds?: number | null
        /** With `all`: at most so many, the newest. Default 100. */
        max?: number
      }
      /** What a new run does while one of the same task is running. */
      overlap?: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds?: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts?: number
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
      /** Run data brought along from another scheduler. */
      imported?: {
        /** Last run there. */
        lastRunAt: string | null
        /** Runs there. */
        totalRunCount: number
        /** Where an interval’s grid starts, so that the rhythm keeps its phase. */
        anchor: string
      }
    }
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** List tasks; also as they were. */
  'GET /v1/namespaces/{namespace}/tasks': {
    path: { namespace: string }
    query: { enabled?: boolean; name?: string; task?: string; queue?: string; label?: string[]; scheduleKind?: "interval" | "crontab" | "solar" | "clocked" | "union" | "except" | "ref"; schedule?: string; quarantined?: boolean; q?: string; sort?: "name" | "-name" | "createdAt" | "-createdAt" | "dateChanged" | "-dateChanged"; limit?: number; cursor?: string; asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      items: Array<{
        id: string
        namespace: string
        /** Unique in the namespace. */
        name: string
        /** What to run: the name that workers know it by. */
        task: string
        schedule: Schedule
        /** Positional arguments, any JSON. */
        args: unknown[]
        /** Named arguments, any JSON. */
        kwargs: { [key: string]: unknown }
        /** Message headers of your own. */
        headers: { [key: string]: unknown }
        /** Queue of the runs; null means `default`. */
        queue: string | null
        /** Exchange to route by, in place of a queue. */
        exchange: string | null
        /** Routing key; also the key of the message. */
        routingKey: string | null
        /** Higher goes first. */
        priority: number | null
        /** The schedule ends here: no occurrence at or after it. */
        expires: string | null
        /** Life of each run, counted from its emission. Not together with `expires`. */
        expireSeconds: number | null
        /** Run once, then disable. */
        oneOff: boolean
        /** Run so many times, then disable. */
        maxRuns: number | null
        /** No occurrence before it; an interval counts from it. */
        startTime: string | null
        /** Default true. */
        enabled: boolean
        /** For people. */
        description: string
        /** For finding: at most 32. */
        labels: { [key: string]: string }
        catchUp: {
          policy: "latest" | "all" | "none"
          windowSeconds: number | null
          max: number
        }
        /** What a new run does while one of the same task is running. */
        overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
        /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
        jitterSeconds: number
        /** How often a failed run is tried in all; default 1. */
        maxAttempts: number
        /** Goes up with every change; the ETag. */
        revision: number
        /** The schedule as a sentence. */
        scheduleText: string
        /** Next dispatch; null when disabled, ended or quarantined. */
        nextRunAt: string | null
        /** Emission of the newest run; null in a view of the past. */
        lastRunAt: string | null
        /** Runs so far; null in a view of the past. */
        totalRunCount: number | null
        /** When it last changed. */
        dateChanged: string
        /** When it was created. */
        createdAt: string
        /** Who changed it last. */
        changedBy: string
        /** With oneOff or maxRuns: occurrences left since it was armed. */
        runsLeft: number | null
        disabledCause: "requested" | "completed" | "expired" | null
        /** Why it is disabled or paused, if that was said. */
        disabledReason: string | null
        /** What comes due before this does not run; null: it is not paused. */
        pausedUntil: string | null
        /** Why it cannot be planned, else null. */
        quarantine: {
          code?: string
          message?: string
        } | null
        imported: {
          lastRunAt?: string | null
          totalRunCount?: number
          anchor?: string
        } | null
      }>
      /** Send it back as `cursor` for the next page; null on the last. */
      nextCursor: string | null
      /** How many there are in all pages. */
      total: number
    }
  }
  /** Create or replace a task by name. */
  'PUT /v1/namespaces/{namespace}/tasks/by-name/{name}': {
    path: { namespace: string; name: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Unique in the namespace. */
      name?: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args?: unknown[]
      /** Named arguments, any JSON. */
      kwargs?: { [key: string]: unknown }
      /** Message headers of your own. */
      headers?: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue?: string | null
      /** Exchange to route by, in place of a queue. */
      exchange?: string | null
      /** Routing key; also the key of the message. */
      routingKey?: string | null
      /** Higher goes first. */
      priority?: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires?: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds?: number | null
      /** Run once, then disable. */
      oneOff?: boolean
      /** Run so many times, then disable. */
      maxRuns?: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime?: string | null
      /** Default true. */
      enabled?: boolean
      /** For people. */
      description?: string
      /** For finding: at most 32. */
      labels?: { [key: string]: string }
      /** What becomes of occurrences that could not be decided on time. */
      catchUp?: {
        /** Default `latest`: one late run. */
        policy?: "latest" | "all" | "none"
        /** Missed occurrences older than this are skipped as misfires; null: no limit. */
        windowSeconds?: number | null
        /** With `all`: at most so many, the newest. Default 100. */
        max?: number
      }
      /** What a new run does while one of the same task is running. */
      overlap?: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds?: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts?: number
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** Read a task by its name; also as it was. */
  'GET /v1/namespaces/{namespace}/tasks/by-name/{name}': {
    path: { namespace: string; name: string }
    query: { asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** Change a task. */
  'PATCH /v1/namespaces/{namespace}/tasks/{id}': {
    path: { namespace: string; id: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Unique in the namespace. */
      name?: string
      /** What to run: the name that workers know it by. */
      task?: string
      schedule?: Schedule
      /** Positional arguments, any JSON. */
      args?: unknown[] | null
      /** Named arguments, any JSON. */
      kwargs?: { [key: string]: unknown } | null
      /** Message headers of your own. */
      headers?: { [key: string]: unknown } | null
      /** Queue of the runs; null means `default`. */
      queue?: string | null
      /** Exchange to route by, in place of a queue. */
      exchange?: string | null
      /** Routing key; also the key of the message. */
      routingKey?: string | null
      /** Higher goes first. */
      priority?: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires?: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds?: number | null
      /** Run once, then disable. */
      oneOff?: boolean
      /** Run so many times, then disable. */
      maxRuns?: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime?: string | null
      /** Default true. */
      enabled?: boolean
      /** For people. */
      description?: string | null
      /** Merged into the labels; a null takes one away. */
      labels?: { [key: string]: string | null } | null
      catchUp?: {
        policy?: "latest" | "all" | "none" | null
        /** Seconds. */
        windowSeconds?: number | null
        /** At most. */
        max?: number | null
      } | null
      /** What a new run does while one of the same task is running. */
      overlap?: "allow" | "skip" | "queueOne" | "cancelRunning" | null
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds?: number | null
      /** How often a failed run is tried in all; default 1. */
      maxAttempts?: number | null
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** Delete a task. */
  'DELETE /v1/namespaces/{namespace}/tasks/{id}': {
    path: { namespace: string; id: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: null
  }
  /** Read a task; also as it was. */
  'GET /v1/namespaces/{namespace}/tasks/{id}': {
    path: { namespace: string; id: string }
    query: { asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** Enable a task. */
  'POST /v1/namespaces/{namespace}/tasks/{id}/enable': {
    path: { namespace: string; id: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** Disable a task, or pause it until an instant. */
  'POST /v1/namespaces/{namespace}/tasks/{id}/disable': {
    path: { namespace: string; id: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Only until then: it goes on by itself. What comes due in between does not run. In the future. */
      until?: string
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** Cancel one coming occurrence. */
  'POST /v1/namespaces/{namespace}/tasks/{id}/occurrences/{at}/cancel': {
    path: { namespace: string; id: string; at: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** Let a cancelled occurrence run after all. */
  'POST /v1/namespaces/{namespace}/tasks/{id}/occurrences/{at}/restore': {
    path: { namespace: string; id: string; at: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** Move one coming occurrence to another time. */
  'POST /v1/namespaces/{namespace}/tasks/{id}/occurrences/{at}/move': {
    path: { namespace: string; id: string; at: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** When it is instead: at least 30 s ahead. */
      to: string
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** What a backfill would run. */
  'GET /v1/namespaces/{namespace}/tasks/{id}/backfill': {
    path: { namespace: string; id: string }
    query: { from: string; until: string; max?: number; order?: "oldestFirst" | "newestFirst"; minPosition?: number }
    body: undefined
    answer: {
      /** Occurrences in the range. */
      total: number
      /** That would run: at most `max`. */
      runs: number
      /** In the order in which they would run, with what has become of each so far. */
      items: Array<{
        /** The occurrence. */
        at: string
        outcome: "emitted" | "skipped" | null
        /** Why it was skipped. */
        reason: string | null
        /** What became of its run. */
        status: string | null
      }>
    }
  }
  /** Run past occurrences, each with its own instant. */
  'POST /v1/namespaces/{namespace}/tasks/{id}/backfill': {
    path: { namespace: string; id: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** First occurrence to run, inclusive. */
      from: string
      /** Last occurrence to run, inclusive. */
      until: string
      /** At most so many; default 100. */
      max?: number
      /** Which come first, and which are left out beyond `max`. Default `oldestFirst`. */
      order?: "oldestFirst" | "newestFirst"
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** Count runs anew, and arm again. */
  'POST /v1/namespaces/{namespace}/tasks/{id}/reset-history': {
    path: { namespace: string; id: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      /** Unique in the namespace. */
      name: string
      /** What to run: the name that workers know it by. */
      task: string
      schedule: Schedule
      /** Positional arguments, any JSON. */
      args: unknown[]
      /** Named arguments, any JSON. */
      kwargs: { [key: string]: unknown }
      /** Message headers of your own. */
      headers: { [key: string]: unknown }
      /** Queue of the runs; null means `default`. */
      queue: string | null
      /** Exchange to route by, in place of a queue. */
      exchange: string | null
      /** Routing key; also the key of the message. */
      routingKey: string | null
      /** Higher goes first. */
      priority: number | null
      /** The schedule ends here: no occurrence at or after it. */
      expires: string | null
      /** Life of each run, counted from its emission. Not together with `expires`. */
      expireSeconds: number | null
      /** Run once, then disable. */
      oneOff: boolean
      /** Run so many times, then disable. */
      maxRuns: number | null
      /** No occurrence before it; an interval counts from it. */
      startTime: string | null
      /** Default true. */
      enabled: boolean
      /** For people. */
      description: string
      /** For finding: at most 32. */
      labels: { [key: string]: string }
      catchUp: {
        policy: "latest" | "all" | "none"
        windowSeconds: number | null
        max: number
      }
      /** What a new run does while one of the same task is running. */
      overlap: "allow" | "skip" | "queueOne" | "cancelRunning"
      /** Each dispatch is delayed by a part of it, always the same for one occurrence. */
      jitterSeconds: number
      /** How often a failed run is tried in all; default 1. */
      maxAttempts: number
      /** Goes up with every change; the ETag. */
      revision: number
      /** The schedule as a sentence. */
      scheduleText: string
      /** Next dispatch; null when disabled, ended or quarantined. */
      nextRunAt: string | null
      /** Emission of the newest run; null in a view of the past. */
      lastRunAt: string | null
      /** Runs so far; null in a view of the past. */
      totalRunCount: number | null
      /** When it last changed. */
      dateChanged: string
      /** When it was created. */
      createdAt: string
      /** Who changed it last. */
      changedBy: string
      /** With oneOff or maxRuns: occurrences left since it was armed. */
      runsLeft: number | null
      disabledCause: "requested" | "completed" | "expired" | null
      /** Why it is disabled or paused, if that was said. */
      disabledReason: string | null
      /** What comes due before this does not run; null: it is not paused. */
      pausedUntil: string | null
      /** Why it cannot be planned, else null. */
      quarantine: {
        code?: string
        message?: string
      } | null
      imported: {
        lastRunAt?: string | null
        totalRunCount?: number
        anchor?: string
      } | null
    }
  }
  /** Run a task now. */
  'POST /v1/namespaces/{namespace}/tasks/{id}/trigger': {
    path: { namespace: string; id: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** In place of the task’s own. */
      args?: unknown[]
      /** In place of the task’s own. */
      kwargs?: { [key: string]: unknown }
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      runId: string
      taskId: string
      /** Of the event. */
      position: number
    }
  }
  /** When a task runs, or ran. */
  'GET /v1/namespaces/{namespace}/tasks/{id}/occurrences': {
    path: { namespace: string; id: string }
    query: { from?: string; to?: string; count?: number; cursor?: string; minPosition?: number }
    body: undefined
    answer: {
      items: Array<{
        /** The occurrence; with a range of skips the first of them. */
        at: string
        /** The same in the schedule’s zone. */
        local: string
        outcome: "due" | "emitted" | "skipped"
        /** Why skipped. */
        reason: string | null
        runId: string | null
        /** What became of the run. */
        status: string | null
        /** Occurrences that this entry stands for. */
        count: number
        /** Task revision that decided it. */
        revision: number | null
      }>
      /** Send it back as `cursor` for the next page; null on the last. */
      nextCursor: string | null
      /** How many there are in all pages. */
      total: number
      /** The zone of `local`. */
      timezone: string
      /** The schedule as a sentence. */
      scheduleText: string
      /** What daylight saving does to these occurrences. */
      notes: string[]
    }
  }
  /** What happened to a task: who, when, why, what changed. */
  'GET /v1/namespaces/{namespace}/tasks/{id}/history': {
    path: { namespace: string; id: string }
    query: { limit?: number; cursor?: string; asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      items: Array<{
        /** Place in the whole log. */
        position: number
        stream: string
        /** Place in the stream. */
        revision: number
        id: string
        type: string
        /** Version of the event’s data. */
        version: number
        /** What it is about. */
        subject: {
          kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
          id: string
          /** Its name after the event; null where that is not known. */
          name: string | null
        }
        /** When. */
        at: string
        namespace: string
        /** Who. */
        actor: string
        /** Why. */
        reason: string | null
        /** The same for all events of one request. */
        correlationId: string
        /** Id of the event that this one follows from, or takes back. */
        causationId: string | null
        /** Of the trace that its command belongs to. There only when it was traced. */
        traceId?: string
        /** In a history: the revision that it takes back. */
        undoes?: number
        /** Who did what, and why, as a sentence. */
        text: string
        /** What changed, field by field. Of a creation: what is not the default. */
        changes: Array<{
          /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
          path: string
          /** Left out: there was none, or it is not known. Null: none. */
          before?: unknown
          /** Null: none. */
          after: unknown
        }>
        /** The event as it was stored. */
        data: { [key: string]: unknown }
      }>
      /** Send it back as `cursor` for the next page; null on the last. */
      nextCursor: string | null
      /** How many there are in all pages. */
      total: number
    }
  }
  /** What taking a change back would set, and what stands in its way. */
  'GET /v1/namespaces/{namespace}/tasks/{id}/history/{revision}/undo': {
    path: { namespace: string; id: string; revision: string }
    query: { minPosition?: number }
    body: undefined
    answer: {
      undoes: {
        /** Place in the whole log. */
        position: number
        stream: string
        /** Place in the stream. */
        revision: number
        id: string
        type: string
        /** Version of the event’s data. */
        version: number
        /** What it is about. */
        subject: {
          kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
          id: string
          /** Its name after the event; null where that is not known. */
          name: string | null
        }
        /** When. */
        at: string
        namespace: string
        /** Who. */
        actor: string
        /** Why. */
        reason: string | null
        /** The same for all events of one request. */
        correlationId: string
        /** Id of the event that this one follows from, or takes back. */
        causationId: string | null
        /** Of the trace that its command belongs to. There only when it was traced. */
        traceId?: string
        /** In a history: the revision that it takes back. */
        undoes?: number
        /** Who did what, and why, as a sentence. */
        text: string
        /** What changed, field by field. Of a creation: what is not the default. */
        changes: Array<{
          /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
          path: string
          /** Left out: there was none, or it is not known. Null: none. */
          before?: unknown
          /** Null: none. */
          after: unknown
        }>
        /** The event as it was stored. */
        data: { [key: string]: unknown }
      }
      /** What would be set, from the present value to the former one; empty: it is back already. */
      changes: Array<{
        /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
        path: string
        /** Left out: there was none, or it is not known. Null: none. */
        before?: unknown
        /** Null: none. */
        after: unknown
      }>
      /** What was changed again since, and needs `force`. */
      conflicts: Array<{
        path: string
        /** What the change set. */
        set: unknown
        /** What it is now. */
        now: unknown
        /** Of the later change. */
        revision: number
      }>
    }
  }
  /** Take a change back, by a new event. */
  'POST /v1/namespaces/{namespace}/tasks/{id}/history/{revision}/undo': {
    path: { namespace: string; id: string; revision: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Also fields that were changed again since. Default false: 409 `undo_conflict`. */
      force?: boolean
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      kind: "task" | "schedule" | "calendar"
      id: string
      /** Of what was changed, after the undo. */
      status: "active" | "deleted"
      /** Of what was changed, after the undo. */
      revision: number
      /** What it made; null: all was back already. */
      event: {
        /** Place in the whole log. */
        position: number
        stream: string
        /** Place in the stream. */
        revision: number
        id: string
        type: string
        /** Version of the event’s data. */
        version: number
        /** What it is about. */
        subject: {
          kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
          id: string
          /** Its name after the event; null where that is not known. */
          name: string | null
        }
        /** When. */
        at: string
        namespace: string
        /** Who. */
        actor: string
        /** Why. */
        reason: string | null
        /** The same for all events of one request. */
        correlationId: string
        /** Id of the event that this one follows from, or takes back. */
        causationId: string | null
        /** Of the trace that its command belongs to. There only when it was traced. */
        traceId?: string
        /** In a history: the revision that it takes back. */
        undoes?: number
        /** Who did what, and why, as a sentence. */
        text: string
        /** What changed, field by field. Of a creation: what is not the default. */
        changes: Array<{
          /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
          path: string
          /** Left out: there was none, or it is not known. Null: none. */
          before?: unknown
          /** Null: none. */
          after: unknown
        }>
        /** The event as it was stored. */
        data: { [key: string]: unknown }
      } | null
    }
  }
  /** What happened to a schedule: who, when, why, what changed. */
  'GET /v1/namespaces/{namespace}/schedules/{id}/history': {
    path: { namespace: string; id: string }
    query: { limit?: number; cursor?: string; asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      items: Array<{
        /** Place in the whole log. */
        position: number
        stream: string
        /** Place in the stream. */
        revision: number
        id: string
        type: string
        /** Version of the event’s data. */
        version: number
        /** What it is about. */
        subject: {
          kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
          id: string
          /** Its name after the event; null where that is not known. */
          name: string | null
        }
        /** When. */
        at: string
        namespace: string
        /** Who. */
        actor: string
        /** Why. */
        reason: string | null
        /** The same for all events of one request. */
        correlationId: string
        /** Id of the event that this one follows from, or takes back. */
        causationId: string | null
        /** Of the trace that its command belongs to. There only when it was traced. */
        traceId?: string
        /** In a history: the revision that it takes back. */
        undoes?: number
        /** Who did what, and why, as a sentence. */
        text: string
        /** What changed, field by field. Of a creation: what is not the default. */
        changes: Array<{
          /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
          path: string
          /** Left out: there was none, or it is not known. Null: none. */
          before?: unknown
          /** Null: none. */
          after: unknown
        }>
        /** The event as it was stored. */
        data: { [key: string]: unknown }
      }>
      /** Send it back as `cursor` for the next page; null on the last. */
      nextCursor: string | null
      /** How many there are in all pages. */
      total: number
    }
  }
  /** What taking a change back would set, and what stands in its way. */
  'GET /v1/namespaces/{namespace}/schedules/{id}/history/{revision}/undo': {
    path: { namespace: string; id: string; revision: string }
    query: { minPosition?: number }
    body: undefined
    answer: {
      undoes: {
        /** Place in the whole log. */
        position: number
        stream: string
        /** Place in the stream. */
        revision: number
        id: string
        type: string
        /** Version of the event’s data. */
        version: number
        /** What it is about. */
        subject: {
          kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
          id: string
          /** Its name after the event; null where that is not known. */
          name: string | null
        }
        /** When. */
        at: string
        namespace: string
        /** Who. */
        actor: string
        /** Why. */
        reason: string | null
        /** The same for all events of one request. */
        correlationId: string
        /** Id of the event that this one follows from, or takes back. */
        causationId: string | null
        /** Of the trace that its command belongs to. There only when it was traced. */
        traceId?: string
        /** In a history: the revision that it takes back. */
        undoes?: number
        /** Who did what, and why, as a sentence. */
        text: string
        /** What changed, field by field. Of a creation: what is not the default. */
        changes: Array<{
          /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
          path: string
          /** Left out: there was none, or it is not known. Null: none. */
          before?: unknown
          /** Null: none. */
          after: unknown
        }>
        /** The event as it was stored. */
        data: { [key: string]: unknown }
      }
      /** What would be set, from the present value to the former one; empty: it is back already. */
      changes: Array<{
        /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
        path: string
        /** Left out: there was none, or it is not known. Null: none. */
        before?: unknown
        /** Null: none. */
        after: unknown
      }>
      /** What was changed again since, and needs `force`. */
      conflicts: Array<{
        path: string
        /** What the change set. */
        set: unknown
        /** What it is now. */
        now: unknown
        /** Of the later change. */
        revision: number
      }>
    }
  }
  /** Take a change back, by a new event. */
  'POST /v1/namespaces/{namespace}/schedules/{id}/history/{revision}/undo': {
    path: { namespace: string; id: string; revision: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Also fields that were changed again since. Default false: 409 `undo_conflict`. */
      force?: boolean
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      kind: "task" | "schedule" | "calendar"
      id: string
      /** Of what was changed, after the undo. */
      status: "active" | "deleted"
      /** Of what was changed, after the undo. */
      revision: number
      /** What it made; null: all was back already. */
      event: {
        /** Place in the whole log. */
        position: number
        stream: string
        /** Place in the stream. */
        revision: number
        id: string
        type: string
        /** Version of the event’s data. */
        version: number
        /** What it is about. */
        subject: {
          kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
          id: string
          /** Its name after the event; null where that is not known. */
          name: string | null
        }
        /** When. */
        at: string
        namespace: string
        /** Who. */
        actor: string
        /** Why. */
        reason: string | null
        /** The same for all events of one request. */
        correlationId: string
        /** Id of the event that this one follows from, or takes back. */
        causationId: string | null
        /** Of the trace that its command belongs to. There only when it was traced. */
        traceId?: string
        /** In a history: the revision that it takes back. */
        undoes?: number
        /** Who did what, and why, as a sentence. */
        text: string
        /** What changed, field by field. Of a creation: what is not the default. */
        changes: Array<{
          /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
          path: string
          /** Left out: there was none, or it is not known. Null: none. */
          before?: unknown
          /** Null: none. */
          after: unknown
        }>
        /** The event as it was stored. */
        data: { [key: string]: unknown }
      } | null
    }
  }
  /** What happened to a calendar: who, when, why, what changed. */
  'GET /v1/namespaces/{namespace}/calendars/{id}/history': {
    path: { namespace: string; id: string }
    query: { limit?: number; cursor?: string; asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      items: Array<{
        /** Place in the whole log. */
        position: number
        stream: string
        /** Place in the stream. */
        revision: number
        id: string
        type: string
        /** Version of the event’s data. */
        version: number
        /** What it is about. */
        subject: {
          kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
          id: string
          /** Its name after the event; null where that is not known. */
          name: string | null
        }
        /** When. */
        at: string
        namespace: string
        /** Who. */
        actor: string
        /** Why. */
        reason: string | null
        /** The same for all events of one request. */
        correlationId: string
        /** Id of the event that this one follows from, or takes back. */
        causationId: string | null
        /** Of the trace that its command belongs to. There only when it was traced. */
        traceId?: string
        /** In a history: the revision that it takes back. */
        undoes?: number
        /** Who did what, and why, as a sentence. */
        text: string
        /** What changed, field by field. Of a creation: what is not the default. */
        changes: Array<{
          /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
          path: string
          /** Left out: there was none, or it is not known. Null: none. */
          before?: unknown
          /** Null: none. */
          after: unknown
        }>
        /** The event as it was stored. */
        data: { [key: string]: unknown }
      }>
      /** Send it back as `cursor` for the next page; null on the last. */
      nextCursor: string | null
      /** How many there are in all pages. */
      total: number
    }
  }
  /** What taking a change back would set, and what stands in its way. */
  'GET /v1/namespaces/{namespace}/calendars/{id}/history/{revision}/undo': {
    path: { namespace: string; id: string; revision: string }
    query: { minPosition?: number }
    body: undefined
    answer: {
      undoes: {
        /** Place in the whole log. */
        position: number
        stream: string
        /** Place in the stream. */
        revision: number
        id: string
        type: string
        /** Version of the event’s data. */
        version: number
        /** What it is about. */
        subject: {
          kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
          id: string
          /** Its name after the event; null where that is not known. */
          name: string | null
        }
        /** When. */
        at: string
        namespace: string
        /** Who. */
        actor: string
        /** Why. */
        reason: string | null
        /** The same for all events of one request. */
        correlationId: string
        /** Id of the event that this one follows from, or takes back. */
        causationId: string | null
        /** Of the trace that its command belongs to. There only when it was traced. */
        traceId?: string
        /** In a history: the revision that it takes back. */
        undoes?: number
        /** Who did what, and why, as a sentence. */
        text: string
        /** What changed, field by field. Of a creation: what is not the default. */
        changes: Array<{
          /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
          path: string
          /** Left out: there was none, or it is not known. Null: none. */
          before?: unknown
          /** Null: none. */
          after: unknown
        }>
        /** The event as it was stored. */
        data: { [key: string]: unknown }
      }
      /** What would be set, from the present value to the former one; empty: it is back already. */
      changes: Array<{
        /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
        path: string
        /** Left out: there was none, or it is not known. Null: none. */
        before?: unknown
        /** Null: none. */
        after: unknown
      }>
      /** What was changed again since, and needs `force`. */
      conflicts: Array<{
        path: string
        /** What the change set. */
        set: unknown
        /** What it is now. */
        now: unknown
        /** Of the later change. */
        revision: number
      }>
    }
  }
  /** Take a change back, by a new event. */
  'POST /v1/namespaces/{namespace}/calendars/{id}/history/{revision}/undo': {
    path: { namespace: string; id: string; revision: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Also fields that were changed again since. Default false: 409 `undo_conflict`. */
      force?: boolean
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      kind: "task" | "schedule" | "calendar"
      id: string
      /** Of what was changed, after the undo. */
      status: "active" | "deleted"
      /** Of what was changed, after the undo. */
      revision: number
      /** What it made; null: all was back already. */
      event: {
        /** Place in the whole log. */
        position: number
        stream: string
        /** Place in the stream. */
        revision: number
        id: string
        type: string
        /** Version of the event’s data. */
        version: number
        /** What it is about. */
        subject: {
          kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
          id: string
          /** Its name after the event; null where that is not known. */
          name: string | null
        }
        /** When. */
        at: string
        namespace: string
        /** Who. */
        actor: string
        /** Why. */
        reason: string | null
        /** The same for all events of one request. */
        correlationId: string
        /** Id of the event that this one follows from, or takes back. */
        causationId: string | null
        /** Of the trace that its command belongs to. There only when it was traced. */
        traceId?: string
        /** In a history: the revision that it takes back. */
        undoes?: number
        /** Who did what, and why, as a sentence. */
        text: string
        /** What changed, field by field. Of a creation: what is not the default. */
        changes: Array<{
          /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
          path: string
          /** Left out: there was none, or it is not known. Null: none. */
          before?: unknown
          /** Null: none. */
          after: unknown
        }>
        /** The event as it was stored. */
        data: { [key: string]: unknown }
      } | null
    }
  }
  /** Who changed what in the namespace. */
  'GET /v1/namespaces/{namespace}/history': {
    path: { namespace: string }
    query: { actor?: string; kind?: Array<"task" | "schedule" | "calendar" | "key" | "webhook" | "cluster">; type?: string[]; task?: string; correlationId?: string; from?: string; to?: string; after?: number; limit?: number; cursor?: string; minPosition?: number }
    body: undefined
    answer: {
      items: Array<{
        /** Place in the whole log. */
        position: number
        stream: string
        /** Place in the stream. */
        revision: number
        id: string
        type: string
        /** Version of the event’s data. */
        version: number
        /** What it is about. */
        subject: {
          kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
          id: string
          /** Its name after the event; null where that is not known. */
          name: string | null
        }
        /** When. */
        at: string
        namespace: string
        /** Who. */
        actor: string
        /** Why. */
        reason: string | null
        /** The same for all events of one request. */
        correlationId: string
        /** Id of the event that this one follows from, or takes back. */
        causationId: string | null
        /** Of the trace that its command belongs to. There only when it was traced. */
        traceId?: string
        /** In a history: the revision that it takes back. */
        undoes?: number
        /** Who did what, and why, as a sentence. */
        text: string
        /** What changed, field by field. Of a creation: what is not the default. */
        changes: Array<{
          /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
          path: string
          /** Left out: there was none, or it is not known. Null: none. */
          before?: unknown
          /** Null: none. */
          after: unknown
        }>
        /** The event as it was stored. */
        data: { [key: string]: unknown }
      }>
      /** Send it back as `cursor` for the next page, also after a page with few items or none; null: that is all. */
      nextCursor: string | null
      /** Everything up to here has been looked at: ask again with `after` for what came since. */
      position: number
    }
  }
  /** What taking back all that one request did would set. */
  'GET /v1/namespaces/{namespace}/changes/{correlationId}/undo': {
    path: { namespace: string; correlationId: string }
    query: { after?: number; minPosition?: number }
    body: undefined
    answer: {
      correlationId: string
      /** Changes that the request made. */
      total: number
      /** That would be taken back. */
      undoable: number
      /** Of which all is back already. */
      unchanged: number
      /** That would be refused. */
      refused: number
      /** The first 100. */
      events: Array<{
        kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
        id: string
        /** Of the change. */
        revision: number
        /** Of the event. */
        type: string
        outcome: "undoable" | "unchanged" | "refused"
        changes: Array<{
          /** The field: `queue`, `labels.team`, `schedule.crontab.hour`. */
          path: string
          /** Left out: there was none, or it is not known. Null: none. */
          before?: unknown
          /** Null: none. */
          after: unknown
        }>
        code?: string
        detail?: string
      }>
    }
  }
  /** Take back all that one request did. */
  'POST /v1/namespaces/{namespace}/changes/{correlationId}/undo': {
    path: { namespace: string; correlationId: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Also fields that were changed again since. Default false: 409 `undo_conflict`. */
      force?: boolean
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
      /** Position before the first of the events: nothing older is searched. Default 0. */
      after?: number
    }
    answer: {
      /** Of this undo: with it, it can be taken back itself. */
      correlationId: string
      /** Changes that the request made. */
      total: number
      /** Taken back, each by a new event. */
      undone: number
      /** Of which all was back already. */
      unchanged: number
      /** That were left as they are. */
      refused: number
      /** The first 100 that were refused. */
      problems: Array<{
        kind: "task" | "schedule" | "calendar" | "key" | "webhook" | "cluster"
        id: string
        /** Of the change. */
        revision: number
        /** Of the event. */
        type: string
        /** Why it was refused. */
        code: string
        detail: string
      }>
    }
  }
  /** Many operations on tasks, each answered. */
  'POST /v1/namespaces/{namespace}/tasks/bulk': {
    path: { namespace: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** At most 500; done in order, each on its own unless `atomic`. */
      operations: Array<{
        op: "create" | "put" | "patch" | "enable" | "disable" | "delete" | "trigger"
        /** Of the task: patch, enable, disable, delete, trigger. */
        id?: string
        /** create, put: as the body of `POST /tasks`. */
        task?: { [key: string]: unknown }
        /** patch: as the body of `PATCH /tasks/{id}`. */
        changes?: { [key: string]: unknown }
        /** put: leave an existing task untouched. */
        onlyCreate?: boolean
        /** As If-Match. */
        revision?: number
        /** disable: only until then. */
        until?: string
        /** trigger. */
        args?: unknown[]
        /** trigger. */
        kwargs?: { [key: string]: unknown }
        /** As the header. */
        idempotencyKey?: string
        /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
        reason?: string
      }>
      /** All or none: when one is refused, those before it are taken back by new events. Others may see what was between, and a crash in the middle leaves it. Not with `trigger`, which can not be taken back. */
      atomic?: boolean
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      /** One for each operation, in order. */
      results: Array<{
        op: "create" | "put" | "patch" | "enable" | "disable" | "delete" | "trigger"
        /** As the single request would have been answered. */
        status: number
        id: string | null
        name: string | null
        revision: number | null
        position: number | null
        runId?: string
        /** True: the idempotency key is known, this is the answer of the first time. */
        repeated?: boolean
        problem?: {
          /** `urn:almanac:problem:<code>` */
          type: string
          title: string
          status: number
          /** Stable: branch on it. See docs/reference/errors.md. */
          code: string
          detail: string
          errors: Array<{
            path: string
            code: string
            message: string
          }>
        }
      }>
      /** How many. */
      succeeded: number
      /** How many. */
      failed: number
      /** Of all events that it made: with it, it can be taken back as a whole. */
      correlationId: string
      /** With `atomic`: one was refused, and those before it were taken back. */
      rolledBack?: boolean
    }
  }
  /** One operation on all tasks that match. */
  'POST /v1/namespaces/{namespace}/tasks/bulk-query': {
    path: { namespace: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** As the query of `GET /tasks`; {}: every task of the namespace. */
      filter: {
        enabled?: boolean
        /** Exactly this name. */
        name?: string
        /** Exactly this task. */
        task?: string
        /** Exactly this queue. */
        queue?: string
        /** `key=value` or `key`; repeat for more, all must hold. */
        label?: string[]
        scheduleKind?: "interval" | "crontab" | "solar" | "clocked" | "union" | "except" | "ref"
        /** Name of the shared schedule. */
        schedule?: string
        quarantined?: boolean
        /** Anywhere in name, task or description, letter case aside. */
        q?: string
      }
      op: "patch" | "enable" | "disable" | "delete" | "trigger"
      /** patch: as the body of `PATCH /tasks/{id}`, without name. */
      changes?: { [key: string]: unknown }
      /** disable: only until then. */
      until?: string
      /** Of the preview of exactly this. Left out: only a preview is made, and nothing is changed. */
      token?: string
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      /** Tasks that match. */
      total: number
      /** The first 20, by name. */
      sample: Array<{
        id: string
        name: string
      }>
      /** Send the same again with it to do it, to exactly these tasks. Null: it was done. */
      token: string | null
      done: {
        /** How many. */
        succeeded: number
        /** How many were refused, such as those that are gone by now. */
        failed: number
        /** The first 100 that were refused. */
        problems: Array<{
          id: string
          name: string
          problem: {
            /** `urn:almanac:problem:<code>` */
            type: string
            title: string
            status: number
            /** Stable: branch on it. See docs/reference/errors.md. */
            code: string
            detail: string
            errors: Array<{
              path: string
              code: string
              message: string
            }>
          }
        }>
        /** Of all events that it made: with it, it can be taken back as a whole. */
        correlationId: string
      } | null
    }
  }
  /** All calendars, shared schedules and tasks, as lines of JSON. */
  'GET /v1/namespaces/{namespace}/export': {
    path: { namespace: string }
    query: { asOf?: string; minPosition?: number }
    body: undefined
    answer: null
  }
  /** Take in lines of JSON as `export` gives them out. */
  'POST /v1/namespaces/{namespace}/import': {
    path: { namespace: string }
    query: { mode?: "put" | "ensure" | "create"; reason?: string }
    body: undefined
    answer: null
  }
  /** A schedule’s sentence and next instants, or its errors. */
  'POST /v1/namespaces/{namespace}/schedules/preview': {
    path: { namespace: string }
    query: object
    body: {
      schedule: Schedule
      /** Exclusive; default now. */
      from?: string
      /** How many; default 10. */
      count?: number
    }
    answer: {
      /** The schedule as a sentence. */
      text: string
      /** Fewer than asked when the schedule ends, none when it does not fire within 100 years. */
      occurrences: string[]
      /** What daylight saving does to these occurrences. */
      notes: string[]
    }
  }
  /** Create a shared schedule. */
  'POST /v1/namespaces/{namespace}/schedules': {
    path: { namespace: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** The name that tasks refer to; fixed for life. */
      name: string
      schedule: Schedule
      /** For people. */
      description?: string
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      name: string
      schedule: Schedule
      /** The schedule as a sentence. */
      scheduleText: string
      description: string
      /** Goes up with every change; the ETag. */
      revision: number
      /** When it was created. */
      createdAt: string
      /** When it last changed. */
      dateChanged: string
      changedBy: string
    }
  }
  /** List shared schedules. */
  'GET /v1/namespaces/{namespace}/schedules': {
    path: { namespace: string }
    query: { limit?: number; cursor?: string; asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      items: Array<{
        id: string
        namespace: string
        name: string
        schedule: Schedule
        /** The schedule as a sentence. */
        scheduleText: string
        description: string
        /** Goes up with every change; the ETag. */
        revision: number
        /** When it was created. */
        createdAt: string
        /** When it last changed. */
        dateChanged: string
        changedBy: string
      }>
      /** Send it back as `cursor` for the next page; null on the last. */
      nextCursor: string | null
      /** How many there are in all pages. */
      total: number
    }
  }
  /** Change a shared schedule, and with it every task that uses it. */
  'PATCH /v1/namespaces/{namespace}/schedules/{id}': {
    path: { namespace: string; id: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      schedule?: Schedule
      /** For people. */
      description?: string | null
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      name: string
      schedule: Schedule
      /** The schedule as a sentence. */
      scheduleText: string
      description: string
      /** Goes up with every change; the ETag. */
      revision: number
      /** When it was created. */
      createdAt: string
      /** When it last changed. */
      dateChanged: string
      changedBy: string
    }
  }
  /** Delete a shared schedule. */
  'DELETE /v1/namespaces/{namespace}/schedules/{id}': {
    path: { namespace: string; id: string }
    query: { wait?: "fenced"; waitMs?: number; cascade?: boolean }
    body: {
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: null
  }
  /** Read a shared schedule, and who uses it. */
  'GET /v1/namespaces/{namespace}/schedules/{id}': {
    path: { namespace: string; id: string }
    query: { asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      id: string
      namespace: string
      name: string
      schedule: Schedule
      /** The schedule as a sentence. */
      scheduleText: string
      description: string
      /** Goes up with every change; the ETag. */
      revision: number
      /** When it was created. */
      createdAt: string
      /** When it last changed. */
      dateChanged: string
      changedBy: string
      usedBy: {
        /** Tasks that use it. */
        total: number
        /** The first 20 of their names. */
        names: string[]
      }
    }
  }
  /** Read a shared schedule by its name. */
  'GET /v1/namespaces/{namespace}/schedules/by-name/{name}': {
    path: { namespace: string; name: string }
    query: { asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      id: string
      namespace: string
      name: string
      schedule: Schedule
      /** The schedule as a sentence. */
      scheduleText: string
      description: string
      /** Goes up with every change; the ETag. */
      revision: number
      /** When it was created. */
      createdAt: string
      /** When it last changed. */
      dateChanged: string
      changedBy: string
      usedBy: {
        /** Tasks that use it. */
        total: number
        /** The first 20 of their names. */
        names: string[]
      }
    }
  }
  /** Create a calendar. */
  'POST /v1/namespaces/{namespace}/calendars': {
    path: { namespace: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** The name that schedules refer to; fixed for life. */
      name: string
      days: CalendarDays
      /** For people. */
      description?: string
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      name: string
      days: CalendarDays
      description: string
      /** Goes up with every change; the ETag. */
      revision: number
      /** When it was created. */
      createdAt: string
      /** When it last changed. */
      dateChanged: string
      changedBy: string
    }
  }
  /** List calendars. */
  'GET /v1/namespaces/{namespace}/calendars': {
    path: { namespace: string }
    query: { limit?: number; cursor?: string; asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      items: Array<{
        id: string
        namespace: string
        name: string
        days: CalendarDays
        description: string
        /** Goes up with every change; the ETag. */
        revision: number
        /** When it was created. */
        createdAt: string
        /** When it last changed. */
        dateChanged: string
        changedBy: string
      }>
      /** Send it back as `cursor` for the next page; null on the last. */
      nextCursor: string | null
      /** How many there are in all pages. */
      total: number
    }
  }
  /** Change a calendar, and with it every schedule that excludes it. */
  'PATCH /v1/namespaces/{namespace}/calendars/{id}': {
    path: { namespace: string; id: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      days?: CalendarDays
      /** For people. */
      description?: string | null
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      namespace: string
      name: string
      days: CalendarDays
      description: string
      /** Goes up with every change; the ETag. */
      revision: number
      /** When it was created. */
      createdAt: string
      /** When it last changed. */
      dateChanged: string
      changedBy: string
    }
  }
  /** Delete a calendar. */
  'DELETE /v1/namespaces/{namespace}/calendars/{id}': {
    path: { namespace: string; id: string }
    query: { wait?: "fenced"; waitMs?: number }
    body: {
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: null
  }
  /** Read a calendar. */
  'GET /v1/namespaces/{namespace}/calendars/{id}': {
    path: { namespace: string; id: string }
    query: { asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      id: string
      namespace: string
      name: string
      days: CalendarDays
      description: string
      /** Goes up with every change; the ETag. */
      revision: number
      /** When it was created. */
      createdAt: string
      /** When it last changed. */
      dateChanged: string
      changedBy: string
    }
  }
  /** Read a calendar by its name. */
  'GET /v1/namespaces/{namespace}/calendars/by-name/{name}': {
    path: { namespace: string; name: string }
    query: { asOf?: string; minPosition?: number }
    body: undefined
    answer: {
      id: string
      namespace: string
      name: string
      days: CalendarDays
      description: string
      /** Goes up with every change; the ETag. */
      revision: number
      /** When it was created. */
      createdAt: string
      /** When it last changed. */
      dateChanged: string
      changedBy: string
    }
  }
  /** List runs, newest scheduled first. */
  'GET /v1/namespaces/{namespace}/runs': {
    path: { namespace: string }
    query: { task?: string; status?: "queued" | "running" | "succeeded" | "failed" | "expired" | "cancelled"; queue?: string; kind?: "scheduled" | "manual" | "backfill" | "catchUp"; from?: string; until?: string; limit?: number; cursor?: string; minPosition?: number }
    body: undefined
    answer: {
      items: Array<{
        /** The same for one occurrence, however often it is handed out: make your work idempotent by it. */
        runId: string
        namespace: string
        taskId: string
        taskName: string
        /** What to run. */
        task: string
        args: unknown[]
        /** Named arguments. */
        kwargs: { [key: string]: unknown }
        /** Headers of the task. */
        headers: { [key: string]: unknown }
        queue: string
        routingKey: string | null
        priority: number | null
        /** The occurrence. */
        scheduledAt: string
        /** When it was put into the queue. */
        emittedAt: string
        /** Not worth running after this. */
        expiresAt: string | null
        kind: "scheduled" | "manual" | "backfill" | "catchUp"
        /** 1 for the first time it is handed out. */
        attempt: number
        /** Revision of the task that decided it. */
        taskRevision: number
        /** There only when a lost checkpoint was recovered: the same run may have been handed out before. */
        replayed?: true
        /** W3C Trace Context: the step of a trace that you go on with. There only when the run is traced. */
        traceparent?: string
        status: "queued" | "running" | "succeeded" | "failed" | "expired" | "cancelled"
        /** When it was last handed out. */
        startedAt: string | null
        /** When it ended. */
        finishedAt: string | null
        /** Not handed out before this. */
        notBefore: string | null
        /** When the lease lapses. */
        leaseExpiresAt: string | null
        worker: string | null
        error: string | null
        maxAttempts: number
        cancelRequested: boolean
      }>
      /** Send it back as `cursor` for the next page; null on the last. */
      nextCursor: string | null
      /** How many there are in all pages. */
      total: number
    }
  }
  /** Read a run. */
  'GET /v1/namespaces/{namespace}/runs/{id}': {
    path: { namespace: string; id: string }
    query: { minPosition?: number }
    body: undefined
    answer: {
      /** The same for one occurrence, however often it is handed out: make your work idempotent by it. */
      runId: string
      namespace: string
      taskId: string
      taskName: string
      /** What to run. */
      task: string
      args: unknown[]
      /** Named arguments. */
      kwargs: { [key: string]: unknown }
      /** Headers of the task. */
      headers: { [key: string]: unknown }
      queue: string
      routingKey: string | null
      priority: number | null
      /** The occurrence. */
      scheduledAt: string
      /** When it was put into the queue. */
      emittedAt: string
      /** Not worth running after this. */
      expiresAt: string | null
      kind: "scheduled" | "manual" | "backfill" | "catchUp"
      /** 1 for the first time it is handed out. */
      attempt: number
      /** Revision of the task that decided it. */
      taskRevision: number
      /** There only when a lost checkpoint was recovered: the same run may have been handed out before. */
      replayed?: true
      /** W3C Trace Context: the step of a trace that you go on with. There only when the run is traced. */
      traceparent?: string
      status: "queued" | "running" | "succeeded" | "failed" | "expired" | "cancelled"
      /** When it was last handed out. */
      startedAt: string | null
      /** When it ended. */
      finishedAt: string | null
      /** Not handed out before this. */
      notBefore: string | null
      /** When the lease lapses. */
      leaseExpiresAt: string | null
      worker: string | null
      error: string | null
      maxAttempts: number
      cancelRequested: boolean
    }
  }
  /** Take runs to work on. */
  'POST /v1/namespaces/{namespace}/queues/{queue}/lease': {
    path: { namespace: string; queue: string }
    query: object
    body: {
      /** At most so many runs; default 1. */
      max?: number
      /** How long to wait for the first; default 0. */
      waitMs?: number
      /** Shown in the history; default `anonymous`. */
      worker?: string
      /** Without ack, fail or heartbeat the run is handed out again after this; default 60. */
      leaseSeconds?: number
    }
    answer: {
      runs: Array<{
        /** The same for one occurrence, however often it is handed out: make your work idempotent by it. */
        runId: string
        namespace: string
        taskId: string
        taskName: string
        /** What to run. */
        task: string
        args: unknown[]
        /** Named arguments. */
        kwargs: { [key: string]: unknown }
        /** Headers of the task. */
        headers: { [key: string]: unknown }
        queue: string
        routingKey: string | null
        priority: number | null
        /** The occurrence. */
        scheduledAt: string
        /** When it was put into the queue. */
        emittedAt: string
        /** Not worth running after this. */
        expiresAt: string | null
        kind: "scheduled" | "manual" | "backfill" | "catchUp"
        /** 1 for the first time it is handed out. */
        attempt: number
        /** Revision of the task that decided it. */
        taskRevision: number
        /** There only when a lost checkpoint was recovered: the same run may have been handed out before. */
        replayed?: true
        /** W3C Trace Context: the step of a trace that you go on with. There only when the run is traced. */
        traceparent?: string
        leaseToken: string
        leaseExpiresAt: string | null
      }>
    }
  }
  /** The run succeeded. */
  'POST /v1/namespaces/{namespace}/runs/{id}/ack': {
    path: { namespace: string; id: string }
    query: object
    body: {
      /** As handed out with the run. */
      leaseToken: string
    }
    answer: {
      runId: string
      status: "queued" | "running" | "succeeded" | "failed" | "expired" | "cancelled"
    }
  }
  /** The run failed. */
  'POST /v1/namespaces/{namespace}/runs/{id}/fail': {
    path: { namespace: string; id: string }
    query: object
    body: {
      /** As handed out with the run. */
      leaseToken: string
      /** Shown in the history. */
      error?: string
      /** Hand it out again after this, if attempts are left; null: never again. 0 when left out. */
      retryInSeconds?: number | null
    }
    answer: {
      runId: string
      status: "queued" | "running" | "succeeded" | "failed" | "expired" | "cancelled"
    }
  }
  /** Still working: extend the lease. */
  'POST /v1/namespaces/{namespace}/runs/{id}/heartbeat': {
    path: { namespace: string; id: string }
    query: object
    body: {
      /** As handed out with the run. */
      leaseToken: string
      /** From now on; default 60. */
      leaseSeconds?: number
    }
    answer: {
      runId: string
      /** True: stop, a newer run takes its place. */
      cancelRequested: boolean
      leaseExpiresAt: string | null
    }
  }
  /** When anything of the namespace last changed. */
  'GET /v1/namespaces/{namespace}/changes/last': {
    path: { namespace: string }
    query: { minPosition?: number }
    body: undefined
    answer: {
      ident: 1
      /** When anything of the namespace last changed. */
      lastUpdate: string | null
      /** Position of that change; 0: never. */
      position: number
    }
  }
  /** Announce a bulk change. */
  'POST /v1/namespaces/{namespace}/changes': {
    path: { namespace: string }
    query: object
    body: {
      /** What was changed. */
      note?: string
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      ident: 1
      /** When anything of the namespace last changed. */
      lastUpdate: string | null
      /** Position of that change; 0: never. */
      position: number
    }
  }
  /** Every change as it happens (server-sent events). */
  'GET /v1/namespaces/{namespace}/events': {
    path: { namespace: string }
    query: { kind?: Array<"task" | "schedule" | "calendar" | "key" | "webhook" | "cluster">; task?: string; after?: number }
    body: undefined
    answer: null
  }
  /** Make a webhook. */
  'POST /v1/namespaces/{namespace}/webhooks': {
    path: { namespace: string }
    query: object
    body: {
      /** Unique among the webhooks of the namespace. */
      name: string
      /** Where it is posted to: `https`, and a public address unless the configuration allows another. */
      url: string
      /** For people. */
      description?: string
      /** Default true. What happens while it is off is told later. */
      enabled?: boolean
      /** Types of messages, such as `task.disabled` or `run.failed`, or all of a subject: `task.*`. */
      events?: string[]
      /** Only what these tasks are about, by id. */
      tasks?: string[]
      /** Only what tasks with all of these labels are about. */
      labels?: { [key: string]: string }
      /** Takes the runs of this queue too, and posts them. */
      runs?: {
        /** The queue. */
        queue: string
        /** How long a run is the receiver’s that answered 202. 30 to 86 400; default 300. */
        leaseSeconds?: number
      } | null
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      name: string
      url: string
      description: string
      enabled: boolean
      events: string[]
      tasks: string[]
      labels: { [key: string]: string }
      runs: {
        queue: string
        leaseSeconds: number
      } | null
      /** Why Almanac has switched it off, else null. */
      disabled: {
        cause: "failing" | "gone"
        message: string
        /** When. */
        at: string
      } | null
      /** How it has fared. */
      status: {
        /** Every event up to here is through. */
        position: number
        /** Messages that got through. */
        delivered: number
        /** Tries that did not. */
        failed: number
        /** Messages that were given up. */
        givenUp: number
        /** Of the first failure since the last success. */
        failingSince: string | null
        /** When a message last got through. */
        lastSuccessAt: string | null
      }
      /** Of its last change; the ETag. */
      revision: number
      /** When it was made. */
      createdAt: string
      createdBy: string
      /** Messages are signed with it: `whsec_…`, as Standard Webhooks has it. Null: it was told to the first request. */
      secret: string | null
    }
  }
  /** List webhooks. */
  'GET /v1/namespaces/{namespace}/webhooks': {
    path: { namespace: string }
    query: object
    body: undefined
    answer: {
      items: Array<{
        id: string
        name: string
        url: string
        description: string
        enabled: boolean
        events: string[]
        tasks: string[]
        labels: { [key: string]: string }
        runs: {
          queue: string
          leaseSeconds: number
        } | null
        /** Why Almanac has switched it off, else null. */
        disabled: {
          cause: "failing" | "gone"
          message: string
          /** When. */
          at: string
        } | null
        /** How it has fared. */
        status: {
          /** Every event up to here is through. */
          position: number
          /** Messages that got through. */
          delivered: number
          /** Tries that did not. */
          failed: number
          /** Messages that were given up. */
          givenUp: number
          /** Of the first failure since the last success. */
          failingSince: string | null
          /** When a message last got through. */
          lastSuccessAt: string | null
        }
        /** Of its last change; the ETag. */
        revision: number
        /** When it was made. */
        createdAt: string
        createdBy: string
      }>
      /** Send it back as `cursor` for the next page; null on the last. */
      nextCursor: string | null
      /** How many there are in all pages. */
      total: number
    }
  }
  /** Change a webhook. */
  'PATCH /v1/namespaces/{namespace}/webhooks/{id}': {
    path: { namespace: string; id: string }
    query: object
    body: {
      /** Unique among the webhooks of the namespace. */
      name?: string
      /** Where it is posted to: `https`, and a public address unless the configuration allows another. */
      url?: string
      /** For people. */
      description?: string
      /** Default true. What happens while it is off is told later. */
      enabled?: boolean
      /** Types of messages, such as `task.disabled` or `run.failed`, or all of a subject: `task.*`. */
      events?: string[]
      /** Only what these tasks are about, by id. */
      tasks?: string[]
      /** Only what tasks with all of these labels are about. */
      labels?: { [key: string]: string }
      /** Takes the runs of this queue too, and posts them. */
      runs?: {
        /** The queue. */
        queue: string
        /** How long a run is the receiver’s that answered 202. 30 to 86 400; default 300. */
        leaseSeconds?: number
      } | null
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      name: string
      url: string
      description: string
      enabled: boolean
      events: string[]
      tasks: string[]
      labels: { [key: string]: string }
      runs: {
        queue: string
        leaseSeconds: number
      } | null
      /** Why Almanac has switched it off, else null. */
      disabled: {
        cause: "failing" | "gone"
        message: string
        /** When. */
        at: string
      } | null
      /** How it has fared. */
      status: {
        /** Every event up to here is through. */
        position: number
        /** Messages that got through. */
        delivered: number
        /** Tries that did not. */
        failed: number
        /** Messages that were given up. */
        givenUp: number
        /** Of the first failure since the last success. */
        failingSince: string | null
        /** When a message last got through. */
        lastSuccessAt: string | null
      }
      /** Of its last change; the ETag. */
      revision: number
      /** When it was made. */
      createdAt: string
      createdBy: string
    }
  }
  /** Delete a webhook. */
  'DELETE /v1/namespaces/{namespace}/webhooks/{id}': {
    path: { namespace: string; id: string }
    query: object
    body: {
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: null
  }
  /** Read a webhook, and how it has fared. */
  'GET /v1/namespaces/{namespace}/webhooks/{id}': {
    path: { namespace: string; id: string }
    query: object
    body: undefined
    answer: {
      id: string
      name: string
      url: string
      description: string
      enabled: boolean
      events: string[]
      tasks: string[]
      labels: { [key: string]: string }
      runs: {
        queue: string
        leaseSeconds: number
      } | null
      /** Why Almanac has switched it off, else null. */
      disabled: {
        cause: "failing" | "gone"
        message: string
        /** When. */
        at: string
      } | null
      /** How it has fared. */
      status: {
        /** Every event up to here is through. */
        position: number
        /** Messages that got through. */
        delivered: number
        /** Tries that did not. */
        failed: number
        /** Messages that were given up. */
        givenUp: number
        /** Of the first failure since the last success. */
        failingSince: string | null
        /** When a message last got through. */
        lastSuccessAt: string | null
      }
      /** Of its last change; the ETag. */
      revision: number
      /** When it was made. */
      createdAt: string
      createdBy: string
    }
  }
  /** The newest messages of a webhook, and what came of them. */
  'GET /v1/namespaces/{namespace}/webhooks/{id}/deliveries': {
    path: { namespace: string; id: string }
    query: object
    body: undefined
    answer: {
      /** The newest 50. */
      items: Array<{
        /** Of the message: `webhook-id`. */
        id: string
        type: string
        /** What it is about: the id of a task, or a stream. */
        subject: string
        status: "waiting" | "delivered" | "given_up"
        /** Tries so far. */
        attempts: number
        /** Of the first try. */
        firstAt: string
        /** Of the last. */
        lastAt: string
        /** What the receiver answered; null: nothing. */
        lastStatus: number | null
        /** Why it did not get through. */
        lastError: string | null
        /** How long the last try took. */
        lastMs: number
        /** When it is tried again. */
        nextAt: string | null
      }>
    }
  }
  /** Send a message of the type webhook.ping now. */
  'POST /v1/namespaces/{namespace}/webhooks/{id}/ping': {
    path: { namespace: string; id: string }
    query: object
    body: {
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      delivered: boolean
      status: number | null
      error: string | null
      ms: number
    }
  }
  /** Make a new secret. */
  'POST /v1/namespaces/{namespace}/webhooks/{id}/rotate-secret': {
    path: { namespace: string; id: string }
    query: object
    body: {
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      id: string
      name: string
      url: string
      description: string
      enabled: boolean
      events: string[]
      tasks: string[]
      labels: { [key: string]: string }
      runs: {
        queue: string
        leaseSeconds: number
      } | null
      /** Why Almanac has switched it off, else null. */
      disabled: {
        cause: "failing" | "gone"
        message: string
        /** When. */
        at: string
      } | null
      /** How it has fared. */
      status: {
        /** Every event up to here is through. */
        position: number
        /** Messages that got through. */
        delivered: number
        /** Tries that did not. */
        failed: number
        /** Messages that were given up. */
        givenUp: number
        /** Of the first failure since the last success. */
        failingSince: string | null
        /** When a message last got through. */
        lastSuccessAt: string | null
      }
      /** Of its last change; the ETag. */
      revision: number
      /** When it was made. */
      createdAt: string
      createdBy: string
      /** Messages are signed with it: `whsec_…`, as Standard Webhooks has it. Null: it was told to the first request. */
      secret: string | null
    }
  }
  /** Make an API key. */
  'POST /v1/keys': {
    path: object
    query: object
    body: {
      /** Who acts with it, as histories show it. Unique among the keys that can still be used. */
      name: string
      /** The one namespace that it opens; null: all. */
      namespace?: string | null
      /** What it is good for. `admin` stands for all. */
      scopes: Array<"tasks:read" | "tasks:write" | "runs:read" | "runs:work" | "audit:read" | "cluster:read" | "admin">
      /** From then on it opens nothing; null: never. */
      expiresAt?: string | null
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: {
      /** The part of the key that is no secret. */
      id: string
      name: string
      /** The one namespace that it opens; null: all. */
      namespace: string | null
      /** What it is good for. `admin` stands for all. */
      scopes: Array<"tasks:read" | "tasks:write" | "runs:read" | "runs:work" | "audit:read" | "cluster:read" | "admin">
      /** When it was made. */
      createdAt: string
      /** By whom. */
      createdBy: string
      /** From then on it opens nothing. */
      expiresAt: string | null
      /** When it was revoked. */
      revokedAt: string | null
      /** By whom. */
      revokedBy: string | null
      /** Last use: exact on the node that was used, to the day on others and after a restart. */
      lastUsedAt: string | null
      /** Whether it opens anything now. */
      live: boolean
      /** The whole key, told this once and kept nowhere. Null in the answer to a request that is repeated with its `Idempotency-Key`: if the first answer was lost, revoke this key and make another. */
      key: string | null
    }
  }
  /** List API keys. */
  'GET /v1/keys': {
    path: object
    query: { live?: boolean; limit?: number; cursor?: string }
    body: undefined
    answer: {
      items: Array<{
        /** The part of the key that is no secret. */
        id: string
        name: string
        /** The one namespace that it opens; null: all. */
        namespace: string | null
        /** What it is good for. `admin` stands for all. */
        scopes: Array<"tasks:read" | "tasks:write" | "runs:read" | "runs:work" | "audit:read" | "cluster:read" | "admin">
        /** When it was made. */
        createdAt: string
        /** By whom. */
        createdBy: string
        /** From then on it opens nothing. */
        expiresAt: string | null
        /** When it was revoked. */
        revokedAt: string | null
        /** By whom. */
        revokedBy: string | null
        /** Last use: exact on the node that was used, to the day on others and after a restart. */
        lastUsedAt: string | null
        /** Whether it opens anything now. */
        live: boolean
      }>
      /** Send it back as `cursor` for the next page; null on the last. */
      nextCursor: string | null
      /** How many there are in all pages. */
      total: number
    }
  }
  /** Read an API key. */
  'GET /v1/keys/{id}': {
    path: { id: string }
    query: object
    body: undefined
    answer: {
      /** The part of the key that is no secret. */
      id: string
      name: string
      /** The one namespace that it opens; null: all. */
      namespace: string | null
      /** What it is good for. `admin` stands for all. */
      scopes: Array<"tasks:read" | "tasks:write" | "runs:read" | "runs:work" | "audit:read" | "cluster:read" | "admin">
      /** When it was made. */
      createdAt: string
      /** By whom. */
      createdBy: string
      /** From then on it opens nothing. */
      expiresAt: string | null
      /** When it was revoked. */
      revokedAt: string | null
      /** By whom. */
      revokedBy: string | null
      /** Last use: exact on the node that was used, to the day on others and after a restart. */
      lastUsedAt: string | null
      /** Whether it opens anything now. */
      live: boolean
    }
  }
  /** Revoke an API key. */
  'DELETE /v1/keys/{id}': {
    path: { id: string }
    query: object
    body: {
      /** Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`. */
      reason?: string
    }
    answer: null
  }
  /** The process answers. */
  'GET /livez': {
    path: object
    query: object
    body: undefined
    answer: {
      status: "ok" | "unavailable"
      problem?: string | null
    }
  }
  /** The node can be worked with. */
  'GET /readyz': {
    path: object
    query: object
    body: undefined
    answer: {
      status: "ok" | "unavailable"
      problem?: string | null
    }
  }
  /** The node has started. */
  'GET /startupz': {
    path: object
    query: object
    body: undefined
    answer: {
      status: "ok" | "unavailable"
      problem?: string | null
    }
  }
  /** Nodes, partitions, owners, lag. */
  'GET /v1/cluster': {
    path: object
    query: object
    body: undefined
    answer: {
      cluster: string
      /** The node that answers. */
      nodeId: string
      /** Newest position of the event log that any node has in its read models. */
      head: number
      nodes: Array<{
        nodeId: string
        /** Where it stands; empty: there is one region only. */
        region: string
        /** Its share of the partitions in relation to other nodes; 0: it takes none. */
        weight: number
        version: string
        /** Partitions that it owns. */
        owned: number
        /** When it started. */
        startedAt: string
        /** Its clock. */
        now: string
        ready: boolean
        /** Why not ready. */
        problem: string | null
        /** Position that its read models have. */
        viewPosition: number
        /** How far its read models are behind `head`. */
        lag: number
      }>
      tasks: {
        /** All. */
        tasks: number
        /** Enabled. */
        enabled: number
        /** Quarantined. */
        quarantined: number
      }
      runs: { [key: string]: number }
      counters: { [key: string]: number }
      partitions: Array<{
        partition: number
        owner: string | null
        term: number | null
        seq: number | null
        position: number | null
        /** Everything up to here is decided. */
        cursorAt: string | null
        /** Clock of its last tick. */
        evaluatedAt: string | null
        /** Tasks that wait; null: only the node that owns the partition knows. */
        tasks: number | null
        /** Next dispatch; null as well where only the owner knows. */
        nextDueAt: string | null
      }>
    }
  }
  /** Metrics in the Prometheus text format. */
  'GET /metrics': {
    path: object
    query: object
    body: undefined
    answer: null
  }
}
