"""Pages in Chromium, headless, that talk to our server with the npm package."""
