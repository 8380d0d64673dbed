// Logins and sessions: keys with names of their own and short lives. Rules only.
//
// A login is put into a link (`/#login=...`): whoever opens it first gets a session of the same role. Both
// are deleted by the upkeep once they have expired.
#ifndef SESSION_H
#define SESSION_H

// Names that no other key may have, see key_name_check().
#define SESSION_RESERVED   "console:"
#define SESSION_LOGIN_NAME SESSION_RESERVED "login"
#define SESSION_NAME       SESSION_RESERVED "session"

#define SESSION_LOGIN_LIFE_S     300
#define SESSION_LOGIN_LIFE_MAX_S 3600
#define SESSION_LIFE_S           INT64_C(28800) // 8 h

#endif
