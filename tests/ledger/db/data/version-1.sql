BEGIN TRANSACTION;
CREATE TABLE seedance_attempts (
	id INTEGER NOT NULL, 
	row_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	run_id VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	sent_at VARCHAR NOT NULL, 
	answered_at VARCHAR, 
	outcome VARCHAR NOT NULL, 
	http_status INTEGER, 
	code VARCHAR, 
	message VARCHAR, 
	request_id VARCHAR, 
	job_id VARCHAR, 
	billing_model VARCHAR NOT NULL, 
	unit VARCHAR NOT NULL, 
	unit_price VARCHAR, 
	currency VARCHAR, 
	quote_low VARCHAR, 
	quote_high VARCHAR, 
	settlement VARCHAR NOT NULL, 
	tokens BIGINT, 
	units VARCHAR, 
	charge VARCHAR, 
	reserved VARCHAR, 
	reserve_currency VARCHAR, 
	resolution VARCHAR, 
	resolved_at VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (row_id, number), 
	FOREIGN KEY(row_id) REFERENCES seedance_rows (id), 
	FOREIGN KEY(run_id) REFERENCES seedance_runs (id)
);
INSERT INTO "seedance_attempts" VALUES(1,1,1,'bec38c1f-0398-4b7a-818c-9647a6c35749','jimmy','default','seedance2.0-mini','1:x','2026-11-21T15:26:18.433015+00:00','2026-11-21T15:26:18.442399+00:00','created',200,NULL,NULL,'q','job-1','seedance2.0-mini-720p','second','0.05','CNY','0.25','0.25','charged',NULL,'5','0.25',NULL,'CNY',NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(2,2,1,'bec38c1f-0398-4b7a-818c-9647a6c35749','jimmy','default','seedance2.0-mini','1:x','2026-11-21T15:26:18.462715+00:00','2026-11-21T15:26:18.467057+00:00','created',200,NULL,NULL,'q','job-2','seedance2.0-mini-720p','second','0.05','CNY','0.25','0.25','open',NULL,NULL,NULL,NULL,'CNY',NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(3,3,1,'bec38c1f-0398-4b7a-818c-9647a6c35749','jimmy','default','seedance2.0-mini','1:x','2026-11-21T15:26:18.470197+00:00',NULL,'sent',NULL,NULL,NULL,NULL,NULL,'seedance2.0-mini-720p','second','0.05','CNY','0.25','0.25','open',NULL,NULL,NULL,NULL,'CNY',NULL,NULL);
CREATE TABLE seedance_batches (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	pruned_at VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "seedance_batches" VALUES(1,'spring','2026-11-21T15:26:18.413728+00:00',NULL);
CREATE TABLE seedance_book (
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "seedance_book" VALUES('identity','3b69871b-f333-4bc0-afd6-a25183c4560e');
INSERT INTO "seedance_book" VALUES('version','1');
CREATE TABLE seedance_rows (
	id INTEGER NOT NULL, 
	batch_id INTEGER NOT NULL, 
	take VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	request JSON NOT NULL, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	holder VARCHAR, 
	attempt_id INTEGER, 
	file_name VARCHAR NOT NULL, 
	file_fold VARCHAR NOT NULL, 
	folder VARCHAR, 
	path VARCHAR, 
	sha256 VARCHAR, 
	bytes BIGINT, 
	modified_ns BIGINT, 
	width INTEGER, 
	height INTEGER, 
	seconds VARCHAR, 
	error_kind VARCHAR, 
	error_code VARCHAR, 
	error_message VARCHAR, 
	planned_at VARCHAR NOT NULL, 
	finished_at VARCHAR, 
	stored_at VARCHAR, 
	link_expires_at VARCHAR, 
	changed_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (batch_id, take, "key"), 
	UNIQUE (batch_id, file_fold), 
	FOREIGN KEY(batch_id) REFERENCES seedance_batches (id), 
	FOREIGN KEY(holder) REFERENCES seedance_runs (id)
);
INSERT INTO "seedance_rows" VALUES(1,1,'1','a','1:a','{"prompt": "\u4e00\u53ea\u732b a", "duration": 5}','jimmy','default','seedance2.0-mini','stored','bec38c1f-0398-4b7a-818c-9647a6c35749',1,'a','a',NULL,'/videos/a.mp4','abababababababababababababababababababababababababababababababab',1234,1,1280,720,'5.042',NULL,NULL,NULL,'2026-11-21T15:26:18.422173+00:00','2026-11-21T15:26:18.452503+00:00','2026-11-21T15:26:18.459860+00:00',NULL,'2026-11-21T15:26:18.459928+00:00');
INSERT INTO "seedance_rows" VALUES(2,1,'1','b','1:b','{"prompt": "\u4e00\u53ea\u732b b", "duration": 5}','jimmy','default','seedance2.0-mini','created','bec38c1f-0398-4b7a-818c-9647a6c35749',2,'b','b',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-21T15:26:18.422173+00:00',NULL,NULL,NULL,'2026-11-21T15:26:18.467693+00:00');
INSERT INTO "seedance_rows" VALUES(3,1,'1','c','1:c','{"prompt": "\u4e00\u53ea\u732b c", "duration": 5}','jimmy','default','seedance2.0-mini','sent','bec38c1f-0398-4b7a-818c-9647a6c35749',3,'c','c',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-21T15:26:18.422173+00:00',NULL,NULL,NULL,'2026-11-21T15:26:18.470847+00:00');
INSERT INTO "seedance_rows" VALUES(4,1,'1','d','1:d','{"prompt": "\u4e00\u53ea\u732b d", "duration": 5}','jimmy','default','seedance2.0-mini','planned','bec38c1f-0398-4b7a-818c-9647a6c35749',NULL,'d','d',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-21T15:26:18.422173+00:00',NULL,NULL,NULL,'2026-11-21T15:26:18.422173+00:00');
CREATE TABLE seedance_runs (
	id VARCHAR NOT NULL, 
	batch_id INTEGER NOT NULL, 
	flow_run_id VARCHAR, 
	host VARCHAR NOT NULL, 
	pid INTEGER NOT NULL, 
	process_started VARCHAR NOT NULL, 
	started_at VARCHAR NOT NULL, 
	heartbeat_at VARCHAR NOT NULL, 
	ended_at VARCHAR, 
	balances JSON, 
	PRIMARY KEY (id), 
	FOREIGN KEY(batch_id) REFERENCES seedance_batches (id)
);
INSERT INTO "seedance_runs" VALUES('bec38c1f-0398-4b7a-818c-9647a6c35749',1,NULL,'vm b58d987e-1e13-4735-8af8-735dbad72aed pid:[4026531836]',1579,'2326735','2026-11-21T15:26:18.415262+00:00','2026-11-21T15:26:18.415262+00:00',NULL,NULL);
CREATE TABLE seedance_sums (
	batch_id INTEGER NOT NULL, 
	currency VARCHAR NOT NULL, 
	committed VARCHAR NOT NULL, 
	PRIMARY KEY (batch_id, currency), 
	FOREIGN KEY(batch_id) REFERENCES seedance_batches (id)
);
INSERT INTO "seedance_sums" VALUES(1,'CNY','0.25');
CREATE INDEX ix_seedance_runs_batch_id ON seedance_runs (batch_id);
CREATE INDEX seedance_rows_by_state ON seedance_rows (batch_id, state);
CREATE INDEX seedance_rows_by_holder ON seedance_rows (holder);
CREATE INDEX ix_seedance_attempts_run_id ON seedance_attempts (run_id);
CREATE INDEX ix_seedance_attempts_row_id ON seedance_attempts (row_id);
CREATE INDEX ix_seedance_attempts_job_id ON seedance_attempts (job_id);
COMMIT;
