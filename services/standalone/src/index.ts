export { startStandalone, version } from './main.js'
export { serve } from './serve.js'
