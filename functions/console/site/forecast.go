package site

const remindersPath = "/console/reminders"
